using System.ComponentModel.DataAnnotations;

namespace Gateway.Upstreams.Billing;

/// <summary>Section <c>Billing</c>: the PrestaShop Billing API.</summary>
internal sealed class BillingOptions : UpstreamOptions
{
    public const string Section = "Billing";

    public BillingOptions() => BaseAddress = new Uri("https://api.billing.prestashop.com/");

    /// <summary>
    /// Name of the query parameter that carries the language. Default <c>lang_iso_code</c>; one page of the vendor's documentation
    /// says <c>lang</c>.
    /// </summary>
    [Required]
    [RegularExpression("[A-Za-z0-9_-]+", ErrorMessage = "must be a plain parameter name, such as lang_iso_code.")]
    public string LanguageParameter { get; set; } = "lang_iso_code";

    protected override string SectionName => Section;

    protected override TimeSpan DefaultTimeout => TimeSpan.FromSeconds(4);

    protected override TimeSpan DefaultAttemptTimeout => TimeSpan.FromSeconds(2.5);
}
