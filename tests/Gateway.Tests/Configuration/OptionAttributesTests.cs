using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using Gateway.AccessTokens;
using Gateway.Caching;
using Gateway.Configuration;
using Gateway.Egress;
using Gateway.Upstreams.Billing;
using Gateway.Upstreams.Paymentwall;
using Microsoft.Extensions.Hosting.Internal;

namespace Gateway.Tests.Configuration;

/// <summary>What the attributes of the options permit, and how a refusal reads.</summary>
public sealed class OptionAttributesTests
{
    public static TheoryData<Type, string> Ranges => [.. typeof(OptionsSection).Assembly.GetTypes()
        .Where(type => type.Name.EndsWith("Options", StringComparison.Ordinal) && type is { IsClass: true, IsAbstract: false, ContainsGenericParameters: false })
        .SelectMany(type => type.GetProperties().Where(property => property.IsDefined(typeof(RangeAttribute))).Select(property => (type, property.Name)))];

    [Fact]
    public void The_ranges_are_found() => Assert.True(Ranges.Count >= 17);

    [Theory]
    [MemberData(nameof(Ranges))]
    public void The_ends_of_a_range_are_in_it_and_what_is_beyond_names_key_value_and_range(Type type, string name)
    {
        var property = type.GetProperty(name)!;
        var range = property.GetCustomAttribute<RangeAttribute>()!;
        var wanted = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        var (least, most) = (Read(range.Minimum, wanted), Read(range.Maximum, wanted));
        Assert.Equal([], Errors(least));
        Assert.Equal([], Errors(most));

        foreach (var beyond in new[] { Step(least, -1), Step(most, 1) })
        {
            var error = Assert.Single(Errors(beyond));
            Assert.StartsWith(FormattableString.Invariant($"Here:{name}: {beyond} is outside {range.Minimum} to {range.Maximum}"), error, StringComparison.Ordinal);
        }

        IEnumerable<string> Errors(object value)
        {
            var options = Activator.CreateInstance(type)!;
            property.SetValue(options, value);
            return Of(options).Where(error => error.StartsWith($"Here:{name}:", StringComparison.Ordinal));
        }
    }

    /// <summary>By the table of docs/configuration.md.</summary>
    [Fact]
    public void The_ranges_are_those_of_the_contract()
    {
        Assert.Equal(7, Of(new CatalogOptions
        {
            MaxProducts = 201,
            Deadline = TimeSpan.FromMinutes(1.1),
            FreshFor = TimeSpan.FromHours(1.1),
            StaleFor = TimeSpan.FromDays(7.1),
            NotFoundFor = TimeSpan.FromMilliseconds(999),
            MemoryLimit = 64,
        }).Concat(Of(new RedisOptions { OperationTimeout = TimeSpan.FromMilliseconds(9) })).Count());
        Assert.Empty(Of(new CatalogOptions { StaleFor = TimeSpan.Zero, Deadline = TimeSpan.FromMilliseconds(100), MemoryLimit = 8L * 1024 * 1024 * 1024 }));
    }

    [Fact]
    public void What_is_required_is_said_with_the_fix() => Assert.Equal(
        [
            "Here:ProjectKey: is required.",
            "Here:SecretKey: is required; give it by environment or secret file, never in appsettings.json.",
        ],
        Of(new PaymentwallOptions { ProjectKey = " " }));

    [Theory]
    [InlineData("\"s3cret\"", "stands in quotes")]
    [InlineData("'s3cret'", "stands in quotes")]
    [InlineData("s3cret\r", "ends with a line end")]
    [InlineData("s3cret\n", "ends with a line end")]
    [InlineData("s3cret\nsecond", "has a line end or another control character")]
    [InlineData("s\03\0", "has a line end or another control character")]
    [InlineData(" s3cret", "begins or ends with a blank")]
    [InlineData("s3cret ", "begins or ends with a blank")]
    [InlineData("s3cret\u00A0", "begins or ends with a blank")]
    [InlineData("\uFEFFs3cret", "has a byte order mark")]
    [InlineData("s3cr\uFFFDt", "has a byte order mark or bytes that are no UTF-8")]
    public void What_is_pasted_around_a_secret_or_an_id_is_named_and_not_shown(string value, string expected)
    {
        object[] all =
        [
            new AccessTokensOptions { ClientId = value, ClientSecret = value, EncryptionKey = value, Audience = value, Scopes = value },
            new PaymentwallOptions { ProjectKey = value, SecretKey = value },
            new RedisOptions { ConnectionString = value, User = value, Password = value },
            new EgressOptions { User = value, Password = value },
            new ApiKeyOptions { Name = value, Sha256 = value },
        ];

        var errors = all.SelectMany(Of).ToList();

        Assert.Equal(14, errors.Count);
        Assert.All(errors, error => Assert.Contains($": {expected}", error, StringComparison.Ordinal));
        Assert.All(errors, error => Assert.DoesNotContain("s3cr", error, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("a secret with blanks")]
    [InlineData("it's \"quoted\" inside")]
    [InlineData("\"at one end")]
    [InlineData("'")]
    [InlineData("p@ss,word;#=%20")]
    [InlineData("\u00E9\u4E2D")]
    public void What_a_secret_may_hold_is_none_of_it(string value) => Assert.Empty(Of(new RedisOptions { Password = value }).Concat(Of(new PaymentwallOptions { ProjectKey = value, SecretKey = value })));

    [Theory]
    [InlineData("gateway", true)]
    [InlineData("shop:eu.1-a_b", true)]
    [InlineData("", false)]
    [InlineData("a b", false)]
    [InlineData("a{b}", false)]
    public void A_prefix_of_keys_is_plain(string prefix, bool isSound)
    {
        Assert.Equal(isSound, !Of(new RedisOptions { KeyPrefix = prefix }).Any());
        Assert.NotEmpty(Of(new RedisOptions { KeyPrefix = new string('a', 65) }));
    }

    [Theory]
    [InlineData("lang_iso_code", true)]
    [InlineData("", false)]
    [InlineData("a&b", false)]
    public void A_name_of_a_parameter_is_plain(string name, bool isSound) => Assert.Equal(isSound, !Of(new BillingOptions { LanguageParameter = name }).Any());

    [Fact]
    public void What_is_inside_of_a_list_or_an_object_names_its_place()
    {
        var options = new SecurityOptions { ApiKeys = [new ApiKeyOptions { Name = "a" }, new ApiKeyOptions()] };
        options.RateLimits.Proxy = new RateLimitOptions { PermitsPerSecond = double.NaN, Burst = 1 };

        Assert.Equal(["Here:ApiKeys:1:Name: is required.", "Here:RateLimits:Proxy:PermitsPerSecond: NaN is outside 0.01 to 1000000."], Of(options));
    }

    [Theory]
    [InlineData("Production", null, 5)]
    [InlineData("Development", null, 0)]
    [InlineData("Staging", null, 0)]
    [InlineData("Production", 0, 0)]
    [InlineData("Development", 7, 7)]
    public void Only_production_waits_before_it_drains_unless_it_is_told_how_long(string environment, int? configured, int expected)
    {
        var options = new HostingOptions { DrainDelay = configured is { } seconds ? TimeSpan.FromSeconds(seconds) : null };

        Assert.Equal(TimeSpan.FromSeconds(expected), options.DelayIn(new HostingEnvironment { EnvironmentName = environment }));
        Assert.Empty(Of(options));
    }

    private static IEnumerable<string> Of(object options) => OptionsSection.ValueErrors("Here", options).Select(error => error.Error);

    private static object Read(object end, Type wanted) =>
        wanted == typeof(TimeSpan) ? TimeSpan.Parse((string)end, CultureInfo.InvariantCulture) : Convert.ChangeType(end, wanted, CultureInfo.InvariantCulture);

    private static object Step(object value, int by) => value switch
    {
        TimeSpan time => time + (by * TimeSpan.FromMilliseconds(1)),
        int number => number + by,
        long number => number + by,
        _ => (double)value + (by * 0.001),
    };
}
