using Gateway.Configuration;
using Gateway.Iso;
using Microsoft.Extensions.Options;

namespace Gateway.Customer;

/// <summary>The country of a customer who did not name one. Never the socket's address: that is a CDN's or a proxy's.</summary>
internal sealed class CustomerCountry(IOptions<CatalogOptions> options)
{
    /// <summary>Whoever names no country may get another than somebody else at the same URL.</summary>
    public bool MayComeFromHeader => options.Value.CountryHeader.Length > 0;

    /// <summary>The configured header if it names a country (a CDN's <c>XX</c> or <c>T1</c> does not), else the default.</summary>
    public (string Country, bool FromHeader) Of(IHeaderDictionary headers)
    {
        var (header, fallback) = (options.Value.CountryHeader, options.Value.DefaultCountry);
        if (header.Length > 0 && headers[header] is [{ } value] && CountryCode.TryParse(value, out var country))
        {
            return (country, FromHeader: true);
        }

        return (fallback.ToUpperInvariant(), FromHeader: false);
    }
}
