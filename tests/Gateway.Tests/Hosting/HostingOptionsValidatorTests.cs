using Gateway.Hosting.Draining;
using Microsoft.Extensions.Hosting.Internal;

namespace Gateway.Tests.Hosting;

public sealed class HostingOptionsValidatorTests
{
    [Theory]
    [InlineData("00:00:00", true)]
    [InlineData("00:05:00", true)]
    [InlineData("-00:00:00.001", false)]
    [InlineData("00:05:00.001", false)]
    public void Drain_delay_is_0_to_5_minutes(string value, bool sound) =>
        Assert.Equal(sound, Errors(new HostingOptions { DrainDelay = TimeSpan.Parse(value, null) }) is []);

    [Theory]
    [InlineData("00:00:01", true)]
    [InlineData("00:10:00", true)]
    [InlineData("00:00:00.999", false)]
    [InlineData("00:10:00.001", false)]
    public void Drain_timeout_is_1_second_to_10_minutes(string value, bool sound) =>
        Assert.Equal(sound, Errors(new HostingOptions { DrainTimeout = TimeSpan.Parse(value, null) }) is []);

    [Theory]
    [InlineData("Production", null, 5)]
    [InlineData("Development", null, 0)]
    [InlineData("Staging", null, 0)]
    [InlineData("Production", 0, 0)]
    [InlineData("Development", 7, 7)]
    public void Only_production_waits_unless_it_is_told_how_long(string environment, int? configured, int expected)
    {
        var options = new HostingOptions { DrainDelay = configured is { } seconds ? TimeSpan.FromSeconds(seconds) : null };

        Assert.Equal(TimeSpan.FromSeconds(expected), options.DelayIn(new HostingEnvironment { EnvironmentName = environment }));
        Assert.Empty(Errors(options));
    }

    private static string[] Errors(HostingOptions options) =>
        [.. new HostingOptionsValidator().Validate(null, options).Failures ?? []];
}
