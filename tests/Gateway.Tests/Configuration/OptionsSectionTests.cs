using System.Text;
using Gateway.Catalog;
using Gateway.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Gateway.Tests.Configuration;

public sealed class OptionsSectionTests
{
    [Fact]
    public void A_sound_section_has_no_errors() =>
        Assert.Empty(Check("""{ "Sample": { "Name": "n", "Count": 3, "Wait": "00:00:05", "Address": "https://a.example/", "List": "a,b", "Map": { "k": "v" } } }"""));

    [Fact]
    public void An_absent_section_is_left_at_its_defaults_and_validated() => Assert.Equal(["Sample:Name: is required."], Check("{}"));

    [Fact]
    public void Errors_of_conversion_and_of_the_validator_come_together()
    {
        var errors = Check("""{ "Sample": { "Count": "many", "Wait": "soon", "Flag": "perhaps", "Address": "somewhere", "Kind": "sideways", "Map": "text", "Limit": 11 } }""");

        Assert.Collection(
            errors.Order(StringComparer.Ordinal),
            error => Assert.StartsWith("Sample:Address: ", error, StringComparison.Ordinal),
            error => Assert.StartsWith("Sample:Count: ", error, StringComparison.Ordinal),
            error => Assert.StartsWith("Sample:Flag: ", error, StringComparison.Ordinal),
            error => Assert.StartsWith("Sample:Kind: ", error, StringComparison.Ordinal),
            error => Assert.Equal("Sample:Limit: is more than 10.", error),
            error => Assert.StartsWith("Sample:Map: ", error, StringComparison.Ordinal),
            error => Assert.Equal("Sample:Name: is required.", error),
            error => Assert.StartsWith("Sample:Wait: ", error, StringComparison.Ordinal));
    }

    [Fact]
    public void The_fix_is_told_in_the_words_of_the_type()
    {
        var errors = Check("""{ "Sample": { "Name": "n", "Count": "x", "Wait": "x", "Flag": "x", "Address": "x", "Kind": "x" } }""");

        Assert.Contains(errors, error => error.Contains("00:00:05", StringComparison.Ordinal));
        Assert.Contains(errors, error => error.Contains("true or false", StringComparison.Ordinal));
        Assert.Contains(errors, error => error.Contains("a whole number", StringComparison.Ordinal));
        Assert.Contains(errors, error => error.Contains("https://", StringComparison.Ordinal));
        Assert.Contains(errors, error => error.Contains("up, down", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("up", true)]
    [InlineData("DOWN", true)]
    [InlineData("1", false)]
    [InlineData("up,down", false)]
    public void An_enumeration_is_one_of_its_names(string value, bool isSound) =>
        Assert.Equal(isSound, Check($$"""{ "Sample": { "Name": "n", "Kind": "{{value}}" } }""").Count == 0);

    /// <summary>To .NET a bare 5 is five days.</summary>
    [Theory]
    [InlineData("5", false)]
    [InlineData("0.5", false)]
    [InlineData("0", true)]
    [InlineData("0:5", true)]
    [InlineData("1.00:00:00", true)]
    public void A_duration_has_a_colon(string value, bool isSound) =>
        Assert.Equal(isSound, Check($$"""{ "Sample": { "Name": "n", "Wait": "{{value}}" } }""").Count == 0);

    [Fact]
    public void A_value_that_cannot_be_converted_is_never_repeated()
    {
        const string Secret = "hunter2-in-the-wrong-place";
        var errors = Check($$"""{ "Sample": { "Name": "n", "Count": "{{Secret}}", "Wait": "{{Secret}}", "Flag": "{{Secret}}", "Address": "{{Secret}}", "Kind": "{{Secret}}", "Map": "{{Secret}}", "Limit": "{{Secret}}" } }""");

        Assert.Equal(7, errors.Count);
        Assert.All(errors, error => Assert.DoesNotContain(Secret, error, StringComparison.Ordinal));
    }

    [Fact]
    public void A_null_where_a_value_is_needed_is_an_error_that_names_the_key()
    {
        var errors = Check("""{ "Sample": { "Name": null, "Count": "x" } }""");

        Assert.Collection(
            errors,
            error => Assert.StartsWith("Sample:Count: ", error, StringComparison.Ordinal),
            error => Assert.StartsWith("Sample:Name: is null", error, StringComparison.Ordinal));
    }

    [Fact]
    public void A_null_where_none_is_allowed_is_no_error() =>
        Assert.Empty(Check("""{ "Sample": { "Name": "n", "Limit": null, "Address": null } }"""));

    [Fact]
    public void Keys_are_read_in_any_case() =>
        Assert.Equal(["Sample:COUNT"], Check("""{ "Sample": { "name": "n", "COUNT": "x" } }""").Select(e => e.Split(": ")[0]), StringComparer.OrdinalIgnoreCase);

    private static IReadOnlyList<string> Check(string json)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(json));
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddJsonStream(stream).Build());
        services.AddOptionsSection<Sample, SampleValidator>("Sample");
        using var provider = services.BuildServiceProvider();
        return provider.GetRequiredService<OptionsSection>().Check(provider);
    }

    internal enum Direction
    {
        Up,
        Down,
    }

    internal sealed class Sample
    {
        public string Name { get; set; } = string.Empty;

        public int Count { get; set; } = 1;

        public int? Limit { get; set; }

        public bool Flag { get; set; }

        public TimeSpan Wait { get; set; } = TimeSpan.FromSeconds(1);

        public Uri? Address { get; set; }

        public Direction Kind { get; set; }

        public CommaList List { get; set; } = [];

        public Dictionary<string, string> Map { get; set; } = [];
    }

    internal sealed class SampleValidator : IValidateOptions<Sample>
    {
        public ValidateOptionsResult Validate(string? name, Sample options)
        {
            var errors = new List<string>();
            if (options.Name.Length == 0)
            {
                errors.Add("Sample:Name: is required.");
            }

            if (options.Limit > 10)
            {
                errors.Add("Sample:Limit: is more than 10.");
            }

            return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
        }
    }

    [Theory]
    [InlineData("MaxProducts")]
    [InlineData("Deadline")]
    public void An_empty_value_is_an_error_that_names_its_key_and_hides_no_other(string key)
    {
        var errors = CheckCatalog("""{"Catalog":{"KEY":"","SkuTemplate":"constant"}}""".Replace("KEY", key, StringComparison.Ordinal));

        Assert.Contains(errors, error => error.StartsWith("Catalog:" + key + ":", StringComparison.Ordinal));
        Assert.Contains(errors, error => error.StartsWith("Catalog:SkuTemplate:", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{"Catalog":{"MaxProducts":[5]}}""")]
    [InlineData("""{"Catalog":{"SkuTemplate":["{id}"]}}""")]
    [InlineData("""{"Catalog":{"SkuMap":{"a":{"b":"c"}}}}""")]
    [InlineData("""{"Catalog":{"Overlay":{"a":"Pro"}}}""")]
    [InlineData("""{"Catalog":{"Overlay":{"a":{"Features":"one"}}}}""")]
    public void A_value_of_the_wrong_shape_is_an_error_and_not_ignored(string json) => Assert.NotEmpty(CheckCatalog(json));

    private static List<string> CheckCatalog(string json)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(json));
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddJsonStream(stream).Build());
        services.AddOptionsSection<CatalogOptions, CatalogOptionsValidator>("Catalog");
        using var provider = services.BuildServiceProvider();
        return [.. provider.GetServices<OptionsSection>().SelectMany(section => section.Check(provider))];
    }
}
