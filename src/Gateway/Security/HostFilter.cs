using Gateway.Configuration;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.Extensions.Primitives;

namespace Gateway.Security;

/// <summary>
/// <c>AllowedHosts</c>, as ASP.NET Core's host filtering has it, except that health answers whatever <c>Host</c> says: probes ask by the
/// address of a pod or a container. An empty list, <c>*</c> and no <c>Host</c> at all (HTTP/1.0) pass.
/// </summary>
internal sealed class HostFilter : IDisposable
{
    private readonly RequestDelegate _next;
    private readonly IDisposable _changes;
    private volatile IList<StringSegment>? _allowed;

    public HostFilter(RequestDelegate next, IConfiguration configuration)
    {
        _next = next;
        _allowed = Read(configuration);
        _changes = ChangeToken.OnChange(configuration.GetReloadToken, () => _allowed = Read(configuration));
    }

    /// <summary>The framework's own filter stands in front of every middleware and knows no exception.</summary>
    public static void TakeOver(IServiceCollection services) => services.Configure<HostFilteringOptions>(options => options.AllowedHosts = ["*"]);

    /// <summary>A host that passes; null where any does.</summary>
    public static string? AnyAllowed(IConfiguration configuration) => Read(configuration)?[0].Value?.Replace("*", "any", StringComparison.Ordinal);

    public Task InvokeAsync(HttpContext context)
    {
        if (_allowed is { } allowed && context.Request.Host is { HasValue: true } host
            && !HostString.MatchesAny(new StringSegment(host.Host), allowed) && !ManagementEndpoint.IsHealth(context.Request.Path))
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return Task.CompletedTask;
        }

        return _next(context);
    }

    public void Dispose() => _changes.Dispose();

    private static List<StringSegment>? Read(IConfiguration configuration)
    {
        string[] hosts = (configuration["AllowedHosts"] ?? string.Empty).Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return hosts is [] || hosts.Any(host => host is "*" or "[::]" or "0.0.0.0") ? null : [.. hosts.Select(host => new StringSegment(host))];
    }
}
