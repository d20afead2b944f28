using System.Text;
using Gateway.Configuration;
using Gateway.Security;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gateway.Tests.Configuration;

public sealed class LastValidOptionsTests : IDisposable
{
    private readonly Lines _log = new();
    private readonly Source _source = new();
    private readonly ServiceProvider _services;

    public LastValidOptionsTests()
    {
        _source.Data["Sample:Name"] = "first";
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.AddProvider(_log));
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Add(_source).Build());
        services.AddOptionsSection<OptionsSectionTests.Sample, OptionsSectionTests.SampleValidator>("Sample", follows: true);
        _services = services.BuildServiceProvider();
    }

    private IOptionsMonitor<OptionsSectionTests.Sample> Options => _services.GetRequiredService<IOptionsMonitor<OptionsSectionTests.Sample>>();

    public void Dispose() => _services.Dispose();

    [Fact]
    public void A_sound_change_is_taken_up_as_another_instance_with_one_line_and_not_by_who_read_it_at_the_start()
    {
        var before = Options.CurrentValue;
        var atTheStart = _services.GetRequiredService<IOptions<OptionsSectionTests.Sample>>();
        Assert.Equal("first", atTheStart.Value.Name);

        Change("Sample:Name", "second");

        Assert.Equal(("first", "second"), (before.Name, Options.CurrentValue.Name));
        Assert.Equal("first", atTheStart.Value.Name);
        Assert.Equal("The configuration section Sample was reloaded", Assert.Single(_log.Texts));
    }

    [Fact]
    public void A_reload_that_changed_nothing_here_is_nothing()
    {
        var before = Options.CurrentValue;

        Change("Other:Name", "second");
        _source.Provider!.Reload();

        Assert.Same(before, Options.CurrentValue);
        Assert.Empty(_log.Texts);
    }

    [Fact]
    public void A_change_that_is_not_sound_is_refused_and_the_value_before_stays()
    {
        var before = Options.CurrentValue;

        Change("Sample:Limit", "11");

        Assert.Same(before, Options.CurrentValue);
        Assert.Contains("Sample:Limit: is more than 10.", Assert.Single(_log.Texts), StringComparison.Ordinal);
    }

    [Fact]
    public void A_refusal_is_told_once_for_each_change_and_not_for_each_reload()
    {
        _ = Options.CurrentValue;
        Change("Sample:Limit", "11");

        _source.Provider!.Reload();
        _source.Provider.Reload();

        Assert.Single(_log.Texts);
    }

    [Fact]
    public void After_a_refusal_the_next_sound_change_counts_also_the_way_back()
    {
        _ = Options.CurrentValue;
        Change("Sample:Limit", "11");
        Change("Sample:Limit", "10");
        Assert.Equal(10, Options.CurrentValue.Limit);
        Change("Sample:Limit", "many");
        Assert.Equal(10, Options.CurrentValue.Limit);
        Change("Sample:Limit", value: null);

        Assert.Null(Options.CurrentValue.Limit);
    }

    [Theory]
    [InlineData("many")]
    [InlineData("99999999999999999999")]
    [InlineData("")]
    public void A_value_that_cannot_be_converted_is_refused_without_repeating_it(string value)
    {
        var before = Options.CurrentValue;

        Change("Sample:Count", value);

        Assert.Same(before, Options.CurrentValue);
        Assert.Contains("Sample:Count", Assert.Single(_log.Texts), StringComparison.Ordinal);
        Assert.True(value.Length == 0 || !_log.Texts[0].Contains(value, StringComparison.Ordinal));
    }

    /// <summary>A check that throws is a bug, on the thread of whoever watches the files.</summary>
    [Fact]
    public void A_check_that_throws_is_a_refusal_and_the_next_sound_change_counts()
    {
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.AddProvider(_log));
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Add(_source).Build());
        services.AddOptionsSection<OptionsSectionTests.Sample, ThrowingValidator>("Sample", follows: true);
        using var provider = services.BuildServiceProvider();
        var options = provider.GetRequiredService<IOptionsMonitor<OptionsSectionTests.Sample>>();
        Assert.Equal("first", options.CurrentValue.Name);

        Change("Sample:Name", "throw");
        Assert.Equal("first", options.CurrentValue.Name);
        Assert.EndsWith("stays in use: NotSupportedException", Assert.Single(_log.Texts), StringComparison.Ordinal);
        Change("Sample:Name", "second");

        Assert.Equal("second", options.CurrentValue.Name);
    }

    [Fact]
    public void A_section_that_vanishes_is_refused_if_it_had_something_that_is_required()
    {
        var before = Options.CurrentValue;

        Change("Sample:Name", value: null);

        Assert.Same(before, Options.CurrentValue);
        Assert.Contains("Sample:Name: is required.", Assert.Single(_log.Texts), StringComparison.Ordinal);
    }

    /// <summary>Whatever is in a file: the thread that noticed the change must survive it.</summary>
    [Theory]
    [InlineData("""{"Security":{"ApiKeys":[{"Name":null,"Sha256":null,"Roles":null}]}}""")]
    [InlineData("""{"Security":{"ApiKeys":[null]}}""")]
    [InlineData("""{"Security":{"ApiKeys":[[]]}}""")]
    [InlineData("""{"Security":{"ApiKeys":{}}}""")]
    [InlineData("""{"Security":{"ApiKeys":"x"}}""")]
    [InlineData("""{"Security":{"Cors":null,"RateLimits":null,"KnownProxies":null}}""")]
    [InlineData("""{"Security":{"Cors":{"Origins":null},"RateLimits":{"Catalog":null}}}""")]
    [InlineData("""{"Security":{"Cors":{"Origins":[null]},"KnownProxies":[null]}}""")]
    [InlineData("""{"Security":{"Cors":{"Origins":["",",","a,b"]},"KnownProxies":["","10.0.0.0/8,10.1.0.0/16"]}}""")]
    [InlineData("""{"Security":{"RateLimits":{"Catalog":{}}}}""")]
    [InlineData("""{"Security":null}""")]
    [InlineData("""{"Security":[]}""")]
    [InlineData("""{"Security":"x"}""")]
    public void No_shape_of_the_security_section_makes_the_check_throw(string json)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(json));
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddJsonStream(stream).Build());
        services.AddOptionsSection<SecurityOptions, SecurityOptionsValidator>(SecurityOptions.Section);
        using var provider = services.BuildServiceProvider();
        var section = provider.GetRequiredService<OptionsSection>();

        var errors = section.Check(provider);

        // What is not refused can be used.
        if (errors.Count == 0)
        {
            var security = provider.GetRequiredService<IOptions<SecurityOptions>>().Value;
            Assert.All(security.ApiKeys, key => Assert.NotEmpty(key.Sha256));
            Assert.NotNull(security.Cors.Origins);
            Assert.NotNull(security.RateLimits);
            Assert.NotNull(security.KnownProxies);
        }
    }

    private void Change(string key, string? value)
    {
        if (value is null)
        {
            _source.Data.Remove(key);
        }
        else
        {
            _source.Data[key] = value;
        }

        _source.Provider!.Reload();
    }

    private sealed class ThrowingValidator : IValidateOptions<OptionsSectionTests.Sample>
    {
        public ValidateOptionsResult Validate(string? name, OptionsSectionTests.Sample options) =>
            options.Name == "throw" ? throw new NotSupportedException(options.Name) : ValidateOptionsResult.Success;
    }

    private sealed class Source : IConfigurationSource
    {
        public Dictionary<string, string?> Data { get; } = new(StringComparer.OrdinalIgnoreCase);

        public Provider? Provider { get; private set; }

        public IConfigurationProvider Build(IConfigurationBuilder builder) => Provider = new Provider(this);
    }

    private sealed class Provider(Source source) : ConfigurationProvider
    {
        public override void Load() => Data = new Dictionary<string, string?>(source.Data, StringComparer.OrdinalIgnoreCase);

        public void Reload()
        {
            Load();
            OnReload();
        }
    }

    private sealed class Lines : ILoggerProvider, ILogger
    {
        public List<string> Texts { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Texts.Add(formatter(state, exception));

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public void Dispose()
        {
            // Nothing to give back.
        }
    }
}
