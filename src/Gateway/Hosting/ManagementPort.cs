using Gateway.Configuration;
using Gateway.Problems;
using Gateway.Security;

namespace Gateway.Hosting;

/// <summary>
/// With <c>Hosting:ManagementPort</c> health and administration are on that port and nothing else is; elsewhere there is no such route.
/// The port of the connection decides, which no caller can choose by a header or by how a path is written.
/// </summary>
internal static class ManagementPort
{
    /// <summary>In front of everything that answers.</summary>
    public static void UseManagementPort(this WebApplication app)
    {
        if (ManagementEndpoint.Port(app.Configuration) is > 0 and var port)
        {
            app.MapWhen(context => context.Connection.LocalPort == port != ManagementEndpoint.Has(context.Request.Path), elsewhere =>
            {
                elsewhere.UseRequestLogging();
                elsewhere.UseSecurityHeaders();
                elsewhere.Run(new ProblemResult(Problem.RouteNotFound).ExecuteAsync);
            });
        }
    }
}
