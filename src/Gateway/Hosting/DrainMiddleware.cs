using Microsoft.AspNetCore.Connections.Features;

namespace Gateway.Hosting;

/// <summary>
/// Counts the requests in progress, and ends the connection of every answer given while draining (HTTP/1.1: <c>Connection: close</c>,
/// HTTP/2: GOAWAY), so that no client is left on a kept-alive connection when the server closes it.
/// </summary>
internal sealed class DrainMiddleware(RequestDelegate next, Drain drain)
{
    private readonly Func<object, Task> _endConnectionIfDraining = context =>
    {
        EndConnectionIfDraining(drain, (HttpContext)context);
        return Task.CompletedTask;
    };

    /// <summary>In front of the fast path: no state machine for what is answered at once.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        drain.Enter();
        EndConnectionIfDraining(drain, context);

        // For a request that is in progress when the drain begins.
        context.Response.OnStarting(_endConnectionIfDraining, context);
        Task answering;
        try
        {
            answering = next(context);
        }
        catch
        {
            drain.Leave();
            throw;
        }

        if (!answering.IsCompletedSuccessfully)
        {
            return LeaveAfterAsync(answering);
        }

        drain.Leave();
        return answering;
    }

    private async Task LeaveAfterAsync(Task answering)
    {
        try
        {
            await answering;
        }
        finally
        {
            drain.Leave();
        }
    }

    private static void EndConnectionIfDraining(Drain drain, HttpContext context)
    {
        if (drain.HasBegun)
        {
            context.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
        }
    }
}
