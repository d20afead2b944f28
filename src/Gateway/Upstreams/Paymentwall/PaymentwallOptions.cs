using System.ComponentModel.DataAnnotations;
using Gateway.Configuration;

namespace Gateway.Upstreams.Paymentwall;

/// <summary>Section <c>Paymentwall</c>: the Paymentwall Product Details API.</summary>
internal sealed class PaymentwallOptions : UpstreamOptions
{
    public const string Section = "Paymentwall";

    public PaymentwallOptions() => BaseAddress = new Uri("https://api.paymentwall.com/");

    /// <summary>The project's public key. Required.</summary>
    [Required]
    [Verbatim]
    public string ProjectKey { get; set; } = string.Empty;

    /// <summary>The project's secret key, which signs every call. Required; a secret.</summary>
    [Required]
    [Secret]
    [Verbatim]
    public string SecretKey { get; set; } = string.Empty;

    /// <summary>3 (SHA-256, default) or 2 (MD5).</summary>
    [Range(2, 3)]
    public int SignatureVersion { get; set; } = 3;

    /// <summary>Calls in flight at most, per replica. Default 64, range 1 to 1,000.</summary>
    [Range(1, 1_000)]
    public int MaxConcurrency { get; set; } = 64;

    protected override string SectionName => Section;

    protected override TimeSpan DefaultTimeout => TimeSpan.FromSeconds(3);

    protected override TimeSpan DefaultAttemptTimeout => TimeSpan.FromSeconds(1.5);
}
