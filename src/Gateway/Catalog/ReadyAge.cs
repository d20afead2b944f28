using System.Globalization;

namespace Gateway.Catalog;

/// <summary>The headers of a <see cref="ReadyAnswer"/> that change with time.</summary>
/// <param name="seconds">Since it was put together.</param>
/// <param name="freshFor">Seconds that it was good for then.</param>
internal sealed class ReadyAge(long seconds, long freshFor)
{
    public long Seconds => seconds;

    /// <summary><c>Age</c>, RFC 9111 §5.1.</summary>
    public string Age { get; } = seconds.ToString(CultureInfo.InvariantCulture);

    /// <summary><c>Cache-Status</c> of a hit, RFC 9211.</summary>
    public string CacheStatus { get; } = string.Create(CultureInfo.InvariantCulture, $"gateway; hit; ttl={freshFor - seconds}");
}
