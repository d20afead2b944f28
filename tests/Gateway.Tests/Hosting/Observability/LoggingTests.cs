using Gateway.Hosting.Observability;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Hosting.Observability;

public sealed class LoggingTests
{
    /// <summary>Where this category is on, ASP.NET Core makes an activity and a logging scope for every request.</summary>
    [Fact]
    public async Task The_servers_own_lines_about_requests_are_off_at_every_level_and_the_others_are_not()
    {
        await using var app = WebApplication.CreateBuilder().AddGatewayLogging().Build();
        var loggers = app.Services.GetRequiredService<ILoggerFactory>();

        Assert.False(loggers.CreateLogger("Microsoft.AspNetCore.Hosting.Diagnostics").IsEnabled(LogLevel.Critical));
        Assert.True(loggers.CreateLogger("Microsoft.AspNetCore.Hosting.Other").IsEnabled(LogLevel.Critical));
    }
}
