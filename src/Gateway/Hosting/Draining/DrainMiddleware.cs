using Microsoft.AspNetCore.Connections.Features;

namespace Gateway.Hosting.Draining;

/// <summary>
/// Knows what is under way, and ends the connection of every answer given while draining (HTTP/1.1: <c>Connection: close</c>,
/// HTTP/2: GOAWAY), so that no client is left on a kept-alive connection when the server closes it.
/// </summary>
internal sealed class DrainMiddleware(RequestDelegate next, Drain drain)
{
    private readonly Func<object, Task> _endConnectionIfDraining = context => EndConnectionIfDraining(drain, (HttpContext)context);

    public async Task InvokeAsync(HttpContext context)
    {
        drain.Enter();
        try
        {
            if (drain.HasBegun)
            {
                EndConnection(context);
            }
            else
            {
                // For a request that was under way when the drain began.
                context.Response.OnStarting(_endConnectionIfDraining, context);
            }

            await next(context);
        }
        finally
        {
            drain.Leave();
        }
    }

    private static Task EndConnectionIfDraining(Drain drain, HttpContext context)
    {
        if (drain.HasBegun)
        {
            EndConnection(context);
        }

        return Task.CompletedTask;
    }

    private static void EndConnection(HttpContext context) => context.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
}
