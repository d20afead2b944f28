using System.Net;

namespace Gateway.Upstreams;

/// <summary>What every upstream has: an address and the time it gets.</summary>
internal abstract class UpstreamOptions
{
    /// <summary>Absolute address of the API. https; http is accepted for loopback hosts, or with <see cref="AllowHttp"/>.</summary>
    public Uri? BaseAddress { get; set; }

    /// <summary>Total time for one call with its retries. 100 ms to 2 min. Unset: the default, cut short by the caller's deadline.</summary>
    public TimeSpan? Timeout { get; set; }

    /// <summary>Time for a single attempt. 100 ms to 2 min, not more than <see cref="Timeout"/>.</summary>
    public TimeSpan? AttemptTimeout { get; set; }

    /// <summary>Accept an http address that is not loopback. Credentials then travel in clear; a warning is logged. Default false.</summary>
    public bool AllowHttp { get; set; }

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
    public IEnumerable<string> Errors(string section)
    {
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

        foreach (var (key, value) in new[] { ("Timeout", Timeout), ("AttemptTimeout", AttemptTimeout) })
        {
            if (value is { } time && (time < TimeSpan.FromMilliseconds(100) || time > TimeSpan.FromMinutes(2)))
            {
                yield return $"{section}:{key}: {time} is outside 00:00:00.1 to 00:02:00 (durations are hours:minutes:seconds).";
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
