using Gateway.Configuration;
using Gateway.Proxy;
using Microsoft.AspNetCore.Authorization;
using Yarp.ReverseProxy.Model;

namespace Gateway.Hosting;

/// <summary>
/// One line for every call that administers the gateway or writes to an upstream with the gateway's credentials: who, what, and what
/// came of it, also where it was refused, be it by the client's limit: guessing leaves its trace. Without the query, which may hold anything.
/// </summary>
internal sealed partial class AuditLog(RequestDelegate next, ILoggerFactory loggers)
{
    private readonly ILogger _logger = loggers.CreateLogger("Gateway.Audit");

    public Task InvokeAsync(HttpContext context) => IsAudited(context) ? AuditAsync(context) : next(context);

    private static bool IsAudited(HttpContext context) =>
        IsAdministration(context)
        || (!HttpMethods.IsGet(context.Request.Method)
            && !HttpMethods.IsHead(context.Request.Method)
            && context.GetEndpoint()?.Metadata.GetMetadata<RouteModel>()?.Config.AttachesCredentials() == true);

    /// <summary>By what the route demands; and by the path, where there is none.</summary>
    private static bool IsAdministration(HttpContext context) =>
        context.GetEndpoint()?.Metadata.GetMetadata<IAuthorizeData>()?.Policy == Roles.Admin
        || ManagementEndpoint.IsAdministration(context.Request.Path);

    private async Task AuditAsync(HttpContext context)
    {
        var who = context.User.Identity is { IsAuthenticated: true, Name: { } name } ? name : "nobody";
        var result = StatusCodes.Status500InternalServerError;
        try
        {
            await next(context);
            result = context.RequestAborted.IsCancellationRequested && !context.Response.HasStarted ? StatusCodes.Status499ClientClosedRequest : context.Response.StatusCode;
        }
        finally
        {
            Log.Call(_logger, who, context.Connection.RemoteIpAddress?.ToString(), context.Request.Method, context.Request.Path, result);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(5201, LogLevel.Information, "Audit: {Client} from {Address}: {Method} {Path} {StatusCode}")]
        public static partial void Call(ILogger logger, string client, string? address, string method, PathString path, int statusCode);
    }
}
