using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Gateway.DeploymentTests.Soak;

/// <summary>
/// Every price that the simulator was ever given, per country and SKU, with the time in which it was true. An amount says by itself
/// whose it is: its digits are version, country and SKU, so that a price of another country or SKU is recognised as such.
/// </summary>
internal sealed class PriceLedger
{
    private const int MostCountries = 10;
    private const int MostSkus = 1_000;

    /// <summary>Country, currency and the currency's decimals.</summary>
    private readonly IReadOnlyList<(string Country, string Currency, int Exponent)> _countries;
    private readonly List<string> _skus = [];
    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Country, string Sku), List<PriceVersion>> _versions = [];
    private readonly Lock _gate = new();

    public PriceLedger(params IReadOnlyList<(string Country, string Currency, int Exponent)> countries)
    {
        if (countries.Count >= MostCountries)
        {
            throw new ArgumentOutOfRangeException(nameof(countries), "More countries than digits for them.");
        }

        _countries = countries;
    }

    public IEnumerable<string> Countries => _countries.Select(country => country.Country);

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _versions.Sum(versions => versions.Value.Count);
            }
        }
    }

    /// <summary>A new version is about to be put into the simulator: it may be true from now on.</summary>
    public PriceVersion Begin(string country, string sku, bool isSold, DateTimeOffset now)
    {
        lock (_gate)
        {
            var versions = _versions.TryGetValue((country, sku), out var known) ? known : _versions[(country, sku)] = [];
            if (!_numbers.ContainsKey(sku))
            {
                if (_skus.Count == MostSkus)
                {
                    throw new ArgumentOutOfRangeException(nameof(sku), "More SKUs than digits for them.");
                }

                _numbers.Add(sku, _skus.Count);
                _skus.Add(sku);
            }

            var number = versions.Count + 1;
            var version = new PriceVersion(number, isSold ? Encode(country, sku, number) : null, now);
            versions.Add(version);
            return version;
        }
    }

    /// <summary>It is in the simulator: the one before is not true any more.</summary>
    public void Complete(string country, string sku, PriceVersion version, DateTimeOffset now)
    {
        lock (_gate)
        {
            if (version.Number > 1)
            {
                _versions[(country, sku)][version.Number - 2].Until = now;
            }
        }
    }

    /// <summary>Paymentwall's words for it.</summary>
    public string Body(string country, string sku, PriceVersion version)
    {
        if (version.AmountMinor is not { } minor)
        {
            return "[]";
        }

        var (currency, exponent) = CurrencyOf(country);
        var follower = Follower(sku);
        var trial = follower is null ? "" : $""","trial":"1","post_trial_product_id":"{follower}" """;
        return $$"""
            {"object":"product","id":"product_1","name":"Soak","amount":"{{Decimal(minor, exponent)}}","currency":"{{currency}}",
             "type":"subscription","period_length":"1","period_type":"month","recurring":"1"{{trial}}}
            """;
    }

    /// <summary>Starter plans are a trial of what follows them.</summary>
    public static string? Follower(string sku) => sku.EndsWith("-starter-EUR-monthly", StringComparison.Ordinal) ? sku + "-full" : null;

    /// <summary>Whose an amount is; false if no amount of this ledger has these digits.</summary>
    public bool TryDecode(long minor, [NotNullWhen(true)] out string? country, [NotNullWhen(true)] out string? sku, out int number)
    {
        (country, sku) = (null, null);
        var ofCountry = (int)(minor / MostSkus % MostCountries);
        number = (int)(minor / MostSkus / MostCountries);
        lock (_gate)
        {
            var ofSku = (int)(minor % MostSkus);
            if (ofCountry < 1 || ofCountry > _countries.Count || ofSku >= _skus.Count)
            {
                return false;
            }

            (country, sku) = (_countries[ofCountry - 1].Country, _skus[ofSku]);
            return true;
        }
    }

    /// <summary>A version that exists, with what is known of it now.</summary>
    public (PriceVersion Version, DateTimeOffset? Until)? Find(string country, string sku, int number)
    {
        lock (_gate)
        {
            return _versions.TryGetValue((country, sku), out var versions) && number >= 1 && number <= versions.Count
                ? (versions[number - 1], versions[number - 1].Until)
                : null;
        }
    }

    /// <summary>When it was last not sold, at or before a time: null for never, the time itself if it is not sold then.</summary>
    public DateTimeOffset? LastMissing(string country, string sku, DateTimeOffset at)
    {
        lock (_gate)
        {
            return !_versions.TryGetValue((country, sku), out var versions)
                ? at
                : versions.FindLast(version => version.AmountMinor is null && version.From <= at) is { } missing
                    ? missing.Until is { } until && until < at ? until : at
                    : null;
        }
    }

    public bool Knows(string country, string sku)
    {
        lock (_gate)
        {
            return _versions.ContainsKey((country, sku));
        }
    }

    public (string Currency, int Exponent) CurrencyOf(string country)
    {
        var (_, currency, exponent) = _countries.Single(one => one.Country == country);
        return (currency, exponent);
    }

    /// <summary>Written apart from the gateway's money, so that neither vouches for the other.</summary>
    public static string Decimal(long minor, int exponent)
    {
        var digits = minor.ToString(CultureInfo.InvariantCulture).PadLeft(exponent + 1, '0');
        return exponent == 0 ? digits : $"{digits[..^exponent]}.{digits[^exponent..]}";
    }

    private long Encode(string country, string sku, int number)
    {
        var ofCountry = _countries.Index().Single(one => one.Item.Country == country).Index + 1;
        return ((((long)number * MostCountries) + ofCountry) * MostSkus) + _numbers[sku];
    }
}
