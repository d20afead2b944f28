using System.ComponentModel.DataAnnotations;
using System.Net;
using Microsoft.Extensions.Options;

namespace Gateway.Upstreams;

/// <summary>What every upstream has: an address and the time it gets.</summary>
internal abstract class UpstreamOptions
{
    /// <summary>Absolute address of the API. https; http is accepted for loopback hosts, or with <see cref="AllowHttp"/>.</summary>
    public Uri? BaseAddress { get; set; }

    /// <summary>Total time for one call with its retries. 100 ms to 2 min. Unset: the default, cut short by the caller's deadline.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:02:00")]
    public TimeSpan? Timeout { get; set; }

    /// <summary>Time for a single attempt. 100 ms to 2 min, not more than <see cref="Timeout"/>.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:02:00")]
    public TimeSpan? AttemptTimeout { get; set; }

    /// <summary>The longest answer that is read, in bytes, decompressed; a longer one is a bad payload. 64 KiB to 64 MiB; default 4 MiB.</summary>
    [Range(64 * 1024, 64 * 1024 * 1024)]
    public int MaxResponseBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>Accept an http address that is not loopback. Credentials then travel in clear; a warning is logged. Default false.</summary>
    public bool AllowHttp { get; set; }

    protected abstract string SectionName { get; }

    protected abstract TimeSpan DefaultTimeout { get; }

    protected abstract TimeSpan DefaultAttemptTimeout { get; }

    public TimeSpan EffectiveTimeout =>
        Timeout ?? (AttemptTimeout > DefaultTimeout ? AttemptTimeout.Value : DefaultTimeout);

    /// <summary>A little less than the total, so that a single attempt that hangs ends as one, and counts as one.</summary>
    public TimeSpan EffectiveAttemptTimeout
    {
        get
        {
            var longest = EffectiveTimeout * 0.98;
            var wanted = AttemptTimeout ?? DefaultAttemptTimeout;
            return wanted < longest ? wanted : longest;
        }
    }

    /// <summary>The base address with a trailing slash, so that relative paths append to it.</summary>
    public Uri Root => BaseAddress!.AbsoluteUri.EndsWith('/') ? BaseAddress : new Uri(BaseAddress.AbsoluteUri + "/");

    public bool IsPlainHttpBeyondLoopback => BaseAddress is { Scheme: "http" } address && !IsLoopback(address);

    /// <summary>All errors that upstreams have in common, each naming the key and the fix.</summary>
    public IEnumerable<string> Errors()
    {
        var section = SectionName;
        if (BaseAddress is not { IsAbsoluteUri: true, Scheme: "https" or "http" } address || address.Host.Length == 0)
        {
            yield return $"{section}:BaseAddress: must be an absolute https address, such as https://api.example.com/.";
        }
        else
        {
            if (address.UserInfo.Length > 0 || address.Query.Length > 0 || address.Fragment.Length > 0)
            {
                yield return $"{section}:BaseAddress: must not carry a user, a query or a fragment; leave only scheme, host and path.";
            }

            if (IsPlainHttpBeyondLoopback && !AllowHttp)
            {
                yield return $"{section}:BaseAddress: http would send credentials in clear; use https, or set {section}:AllowHttp to true.";
            }
        }

        if (AttemptTimeout > Timeout)
        {
            yield return $"{section}:AttemptTimeout ({AttemptTimeout}) is longer than {section}:Timeout ({Timeout}); "
                + "make the attempt shorter or the total longer.";
        }
    }

    private static bool IsLoopback(Uri address) =>
        address.IsLoopback || (IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip) && IPAddress.IsLoopback(ip));
}

/// <summary>What the attributes of an upstream's options cannot say.</summary>
internal sealed class UpstreamOptionsValidator<TOptions> : IValidateOptions<TOptions>
    where TOptions : UpstreamOptions
{
    public ValidateOptionsResult Validate(string? name, TOptions options) =>
        options.Errors().ToList() is { Count: > 0 } errors ? ValidateOptionsResult.Fail(errors) : ValidateOptionsResult.Success;
}
