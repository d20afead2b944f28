using Gateway.Catalog;
using Gateway.Configuration;
using Gateway.Customer;
using Gateway.Tests.Configuration;
using Gateway.Tests.Problems;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Catalog;

public sealed class CatalogRequestParserTests
{
    private readonly CatalogOptions _options = new();
    private readonly CatalogOptions _country = new() { DefaultCountry = "fr" };
    private readonly List<(string Name, string[] Values)> _headers = [];

    [Fact]
    public void The_least_that_can_be_asked_gets_the_defaults()
    {
        var request = Read("?product=a");

        Assert.Equal(["a"], request.Products);
        Assert.Equal(("FR", CountrySource.Default), (request.Country, request.CountrySource));
        Assert.Null(request.Language);
        Assert.Empty(request.Types);
        Assert.Empty(request.Periods);
        Assert.Equal("active", request.Status);
        Assert.False(request.Sandbox);
        Assert.Equal(PriceMode.Prefer, request.Prices);
    }

    [Fact]
    public void Everything_can_be_asked_at_once()
    {
        var request = Read("?product=a,b&country=jp&lang=EN&type=addon,plan&period=year,day&status=active&sandbox=true&prices=required");

        Assert.Equal(["a", "b"], request.Products);
        Assert.Equal(("JP", CountrySource.Query), (request.Country, request.CountrySource));
        Assert.Equal("en", request.Language);
        Assert.Equal(["plan", "addon"], request.Types);
        Assert.Equal(["day", "year"], request.Periods);
        Assert.Equal("active", request.Status);
        Assert.True(request.Sandbox);
        Assert.Equal(PriceMode.Required, request.Prices);
    }

    [Theory]
    [InlineData("?product=a,b&product=c", new[] { "a", "b", "c" })]
    [InlineData("?product=b&product=a,b&product=a", new[] { "b", "a" })]
    [InlineData("?product=a,A", new[] { "a", "A" })]
    [InlineData("?product=a%2Cb", new[] { "a", "b" })]
    [InlineData("?product=Built-for_x.1", new[] { "Built-for_x.1" })]
    [InlineData("?product=...", new[] { "..." })]
    public void Products_are_repeatable_or_comma_separated_and_duplicates_are_dropped(string query, string[] products) =>
        Assert.Equal(products, Read(query).Products);

    [Theory]
    [InlineData("?product=")]
    [InlineData("?product")]
    [InlineData("?product=a,")]
    [InlineData("?product=,a")]
    [InlineData("?product=a,,b")]
    [InlineData("?product=a&product=")]
    [InlineData("?product=.")]
    [InlineData("?product=..")]
    [InlineData("?product=a,..")]
    [InlineData("?product=a%2Fb")]
    [InlineData("?product=a%5Cb")]
    [InlineData("?product=a%00")]
    [InlineData("?product=a%20")]
    [InlineData("?product=a+b")]
    [InlineData("?product=a%3Fb")]
    [InlineData("?product=a%23b")]
    [InlineData("?product=%C3%A9")]
    [InlineData("?product=%252e%252e")]
    public Task A_product_that_is_not_an_id_is_refused(string query) => RefusesAsync("product", query);

    [Fact]
    public async Task A_product_id_has_at_most_128_characters()
    {
        Assert.Single(Read("?product=" + new string('a', 128)).Products);
        await RefusesAsync("product", "?product=" + new string('a', 129));
    }

    [Fact]
    public Task A_request_that_names_no_product_where_none_is_configured_is_refused() => RefusesAsync("product", string.Empty);

    [Fact]
    public void The_configured_products_are_listed_where_none_is_named()
    {
        _options.Products = ["x", "y"];

        Assert.Equal(["x", "y"], Read(string.Empty).Products);
        Assert.Equal(["a"], Read("?product=a").Products);
    }

    [Fact]
    public Task An_empty_product_does_not_mean_the_configured_ones()
    {
        _options.Products = ["x"];

        return RefusesAsync("product", "?product=");
    }

    [Fact]
    public async Task The_products_are_counted_after_duplicates_are_dropped()
    {
        _options.MaxProducts = 2;

        Assert.Equal(["a", "b"], Read("?product=a,b,a,b&product=a").Products);
        await RefusesAsync("product", "?product=a,b,c");
    }

    [Fact]
    public async Task The_product_of_the_route_is_the_only_one()
    {
        Assert.Equal(["r"], Read("?product=a", "r").Products);
        Assert.Equal(["r"], Read("?product=..", "r").Products);
        await RefusesAsync("productId", string.Empty, "..");
        await RefusesAsync("productId", string.Empty, "a/b");
        await RefusesAsync("productId", string.Empty, string.Empty);
    }

    [Theory]
    [InlineData("US", "US")]
    [InlineData("us", "US")]
    [InlineData("gB", "GB")]
    public void A_country_is_read_in_any_case_and_the_query_wins(string text, string country)
    {
        _country.CountryHeader = "CF-IPCountry";
        Header("CF-IPCountry", "DE");

        var request = Read("?product=a&country=" + text);

        Assert.Equal((country, CountrySource.Query), (request.Country, request.CountrySource));
    }

    [Theory]
    [InlineData("&country=")]
    [InlineData("&country")]
    [InlineData("&country=XX")]
    [InlineData("&country=T1")]
    [InlineData("&country=UK")]
    [InlineData("&country=EU")]
    [InlineData("&country=USA")]
    [InlineData("&country=US,FR")]
    [InlineData("&country=%20US")]
    [InlineData("&country=%C4%B1t")]
    [InlineData("&country=US&country=US")]
    [InlineData("&country=US&country=FR")]
    public Task A_country_that_is_none_is_refused(string query) => RefusesAsync("country", "?product=a" + query);

    [Theory]
    [InlineData("DE", "DE", CountrySource.Header)]
    [InlineData("de", "DE", CountrySource.Header)]
    [InlineData("XX", "FR", CountrySource.Default)]
    [InlineData("T1", "FR", CountrySource.Default)]
    [InlineData("", "FR", CountrySource.Default)]
    [InlineData("Germany", "FR", CountrySource.Default)]
    [InlineData("DE, US", "FR", CountrySource.Default)]
    internal void The_configured_header_names_the_country_if_it_is_one(string value, string country, CountrySource source)
    {
        _country.CountryHeader = "CF-IPCountry";
        Header("cf-ipcountry", value);

        var request = Read("?product=a");

        Assert.Equal((country, source), (request.Country, request.CountrySource));
    }

    [Fact]
    public void A_country_header_that_is_absent_or_given_twice_or_not_configured_counts_as_absent()
    {
        _country.CountryHeader = "CF-IPCountry";
        Assert.Equal(CountrySource.Default, Read("?product=a").CountrySource);

        Header("CF-IPCountry", "DE", "US");
        Assert.Equal(("FR", CountrySource.Default), (Read("?product=a").Country, Read("?product=a").CountrySource));

        _headers.Clear();
        Header("CF-IPCountry", "DE");
        _country.CountryHeader = string.Empty;
        Assert.Equal(CountrySource.Default, Read("?product=a").CountrySource);
    }

    [Theory]
    [InlineData("en", "en")]
    [InlineData("EN", "en")]
    [InlineData("zh", "zh")]
    public void A_language_is_a_code(string text, string language) => Assert.Equal(language, Read("?product=a&lang=" + text).Language);

    [Theory]
    [InlineData("&lang=")]
    [InlineData("&lang=xx")]
    [InlineData("&lang=eng")]
    [InlineData("&lang=en-US")]
    [InlineData("&lang=en,fr")]
    [InlineData("&lang=en&lang=en")]
    [InlineData("&lang=e%26x%3D1")]
    public Task A_language_that_is_none_is_refused(string query) => RefusesAsync("lang", "?product=a" + query);

    [Fact]
    public async Task Only_configured_languages_may_be_asked_for()
    {
        _options.Languages = ["en", "fr"];

        Assert.Equal("fr", Read("?product=a&lang=fr").Language);
        await RefusesAsync("lang", "?product=a&lang=de");
    }

    [Theory]
    [InlineData("&type=plan", new[] { "plan" })]
    [InlineData("&type=charge,plan", new[] { "plan", "charge" })]
    [InlineData("&type=addon&type=plan,addon", new[] { "plan", "addon" })]
    public void Types_are_a_set(string query, string[] types) => Assert.Equal(types, Read("?product=a" + query).Types);

    [Theory]
    [InlineData("&type=")]
    [InlineData("&type=plan,")]
    [InlineData("&type=Plan")]
    [InlineData("&type=plans")]
    [InlineData("&type=plan,other")]
    [InlineData("&type=plan&type=")]
    public Task A_type_that_is_none_is_refused(string query) => RefusesAsync("type", "?product=a" + query);

    [Theory]
    [InlineData("&period=month", new[] { "month" })]
    [InlineData("&period=year,day&period=week,month,day", new[] { "day", "week", "month", "year" })]
    public void Periods_are_a_set(string query, string[] periods) => Assert.Equal(periods, Read("?product=a" + query).Periods);

    [Theory]
    [InlineData("&period=")]
    [InlineData("&period=hour")]
    [InlineData("&period=months")]
    [InlineData("&period=month;year")]
    public Task A_period_that_is_none_is_refused(string query) => RefusesAsync("period", "?product=a" + query);

    [Theory]
    [InlineData("&status=")]
    [InlineData("&status=ACTIVE")]
    [InlineData("&status=active1")]
    [InlineData("&status=active,draft")]
    [InlineData("&status=a%26b")]
    [InlineData("&status=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("&status=active&status=active")]
    public Task A_status_that_is_none_is_refused(string query) => RefusesAsync("status", "?product=a" + query);

    [Theory]
    [InlineData("draft")]
    [InlineData("archived_by_merchant")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public async Task Another_status_than_active_needs_a_key(string status)
    {
        var problem = Reader().Parse(Request("?product=a&status=" + status), productId: null, out var request);

        Assert.Null(request);
        var (response, json) = await problem!.WriteAsync();
        Assert.Equal(401, response.StatusCode);
        Assert.Equal("unauthenticated", json.GetProperty("code").GetString());
        Assert.NotEmpty(response.Headers.WWWAuthenticate.ToString());
    }

    [Theory]
    [InlineData("", null, false)]
    [InlineData("", "true", true)]
    [InlineData("", "false", false)]
    [InlineData("&sandbox=true", null, true)]
    [InlineData("&sandbox=false", null, false)]
    [InlineData("&sandbox=false", "true", false)]
    [InlineData("&sandbox=true", "false", true)]
    [InlineData("&sandbox=true", "nonsense", true)]
    public void Sandbox_is_asked_for_by_query_or_header_and_the_query_wins(string query, string? header, bool sandbox)
    {
        if (header is not null)
        {
            Header("Sandbox", header);
        }

        Assert.Equal(sandbox, Read("?product=a" + query).Sandbox);
    }

    [Theory]
    [InlineData("&sandbox=")]
    [InlineData("&sandbox=1")]
    [InlineData("&sandbox=TRUE")]
    [InlineData("&sandbox=yes")]
    [InlineData("&sandbox=true&sandbox=true")]
    [InlineData("&sandbox=true&sandbox=false")]
    public Task A_sandbox_that_is_neither_true_nor_false_is_refused(string query) => RefusesAsync("sandbox", "?product=a" + query);

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("True")]
    [InlineData("true", "true")]
    public Task A_sandbox_header_that_is_neither_true_nor_false_is_refused(params string[] values)
    {
        Header("sandbox", values);

        return RefusesAsync("sandbox", "?product=a");
    }

    [Theory]
    [InlineData("prefer", PriceMode.Prefer)]
    [InlineData("required", PriceMode.Required)]
    [InlineData("skip", PriceMode.Skip)]
    internal void Prices_has_three_modes(string text, PriceMode mode) => Assert.Equal(mode, Read("?product=a&prices=" + text).Prices);

    [Theory]
    [InlineData("&prices=")]
    [InlineData("&prices=none")]
    [InlineData("&prices=Skip")]
    [InlineData("&prices=skip,required")]
    [InlineData("&prices=skip&prices=skip")]
    public Task A_prices_that_is_none_is_refused(string query) => RefusesAsync("prices", "?product=a" + query);

    [Theory]
    [InlineData("&unknown=1")]
    [InlineData("&unknown=")]
    [InlineData("&unknown=1&unknown=2")]
    [InlineData("&filter_status=draft&lang_iso_code=zz")]
    [InlineData("&=")]
    [InlineData("&key=x&sign=y")]
    public void Unknown_parameters_are_ignored(string query) => Assert.Equal(["a"], Read("?product=a" + query).Products);

    [Fact]
    public void Ignored_parameters_are_named_in_order_a_few_and_not_at_length()
    {
        Assert.Equal(["gclid", "utm_source"], Read("?product=a&utm_source=x&gclid=y&UTM_Source=z&=q&COUNTRY=jp").IgnoredParameters);
        Assert.Equal(10, Read("?product=a" + string.Concat(Enumerable.Range(0, 50).Select(n => $"&unknown{n}=1"))).IgnoredParameters.Count);
        Assert.Equal(64, Assert.Single(Read("?product=a&" + new string('x', 1_000)).IgnoredParameters).Length);
        Assert.Empty(Read("?product=a").IgnoredParameters);
    }

    [Fact]
    public void Ignored_parameters_make_another_question_since_the_answer_names_them()
    {
        var keys = new[] { "", "&a1", "&b2", "&a1&b2", "&a1,b2", "&a1%2Cb2%7C" }.Select(query => Read("?product=a" + query).Key).ToList();

        Assert.Equal(keys.Count, keys.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(Read("?product=a&b2=1&a1=2").Key, Read("?product=a&a1&b2").Key);
    }

    [Theory]
    [InlineData("contry", "country")]
    [InlineData("Contry", "country")]
    [InlineData("products", "product")]
    [InlineData("price", "prices")]
    public async Task A_parameter_that_is_nearly_one_is_refused_with_the_one_that_was_meant(string name, string meant)
    {
        var (response, json) = await Reader().Parse(Request($"?product=a&{name}=x"), productId: null, out _)!.WriteAsync();

        Assert.Equal((400, name), (response.StatusCode, json.GetProperty("parameter").GetString()));
        Assert.StartsWith($"{name} is not a parameter; did you mean {meant}? Allowed: product, country, ", json.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unknown_parameters_can_all_be_refused_or_all_be_ignored()
    {
        _options.UnknownParameters = UnknownParameters.Reject;
        var (response, json) = await Reader().Parse(Request("?product=a&utm_source=x"), productId: null, out _)!.WriteAsync();
        Assert.Equal((400, "utm_source"), (response.StatusCode, json.GetProperty("parameter").GetString()));

        _options.UnknownParameters = UnknownParameters.Ignore;
        Assert.Null(Reader().Parse(Request("?product=a&contry=JP"), productId: null, out var request));
        Assert.Empty(request!.IgnoredParameters);
    }

    [Theory]
    [InlineData("UK", "GB")]
    [InlineData("uk", "GB")]
    [InlineData("el", "GR")]
    public async Task A_country_known_by_another_code_is_suggested(string asked, string meant)
    {
        var (_, json) = await Reader().Parse(Request("?product=a&country=" + asked), productId: null, out _)!.WriteAsync();

        Assert.Contains($"did you mean {meant}? Allowed:", json.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_does_not_repeat_what_was_sent()
    {
        var (_, json) = await Reader().Parse(Request("?product=a&lang=%3Cscript%3E"), productId: null, out _)!.WriteAsync();

        Assert.DoesNotContain("script", json.GetRawText(), StringComparison.Ordinal);
        Assert.Contains("Allowed: ", json.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    private CatalogRequest Read(string query, string? productId = null)
    {
        Assert.Null(Reader().Parse(Request(query), productId, out var request));
        return Assert.IsType<CatalogRequest>(request);
    }

    private async Task RefusesAsync(string parameter, string query, string? productId = null)
    {
        var problem = Reader().Parse(Request(query), productId, out var request);

        Assert.Null(request);
        Assert.NotNull(problem);
        var (response, json) = await problem.WriteAsync();
        Assert.Equal(400, response.StatusCode);
        Assert.Equal("invalidParameter", json.GetProperty("code").GetString());
        Assert.Equal(parameter, json.GetProperty("parameter").GetString());
        Assert.NotEmpty(json.GetProperty("detail").GetString()!);
    }

    private void Header(string name, params string[] values) => _headers.Add((name, values));

    private HttpRequest Request(string query)
    {
        var context = new DefaultHttpContext();
        context.Request.QueryString = new QueryString(query);
        foreach (var (name, values) in _headers)
        {
            context.Request.Headers[name] = values;
        }

        return context.Request;
    }

    private CatalogRequestParser Reader() => new(Fixed.Options(_options), new CustomerCountry(Fixed.Options(_country)));

    [Fact]
    public void Duplicates_among_the_configured_products_are_dropped()
    {
        var options = new CatalogOptions { Products = ["x", "y", "x"] };
        var reader = new CatalogRequestParser(Fixed.Options(options), new CustomerCountry(Fixed.Options(new CatalogOptions { DefaultCountry = "US" })));

        Assert.Null(reader.Parse(new DefaultHttpContext().Request, productId: null, out var request));
        Assert.Equal(["x", "y"], request!.Products);
    }

    [Fact]
    public void A_language_of_letters_that_only_look_like_ASCII_is_refused()
    {
        var context = new DefaultHttpContext();
        context.Request.QueryString = new QueryString("?product=a&lang=%E2%84%AAa");
        var reader = new CatalogRequestParser(Fixed.Options(new CatalogOptions()), new CustomerCountry(Fixed.Options(new CatalogOptions { DefaultCountry = "US" })));

        Assert.NotNull(reader.Parse(context.Request, productId: null, out _));
    }
}
