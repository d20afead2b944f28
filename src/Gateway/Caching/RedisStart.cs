namespace Gateway.Caching;

/// <summary>
/// Has the connection to Redis made when the host starts. Not the connection itself: the container would take it for made last, when
/// the host starts, and close it before those who still have a lease to give back.
/// </summary>
internal sealed class RedisStart(RedisConnection redis) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        redis.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
