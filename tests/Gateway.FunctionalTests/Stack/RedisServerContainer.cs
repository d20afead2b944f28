using Testcontainers.Redis;

namespace Gateway.FunctionalTests.Stack;

/// <summary>A Redis container, where a container engine answers; else the test is skipped, visibly.</summary>
internal sealed class RedisServerContainer : RedisServer
{
    private readonly RedisContainer _container;

    private RedisServerContainer(RedisContainer container) => _container = container;

    public override string ConnectionString => _container.GetConnectionString();

    public static new async Task<RedisServerContainer> StartAsync()
    {
        var container = new RedisBuilder("redis:7-alpine").Build();
        try
        {
            await container.StartAsync(TestContext.Current.CancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            Assert.Skip($"There is no redis-server on this machine and no container engine answers ({exception.GetType().Name}).");
        }

        return new RedisServerContainer(container);
    }

    public override Task KillAsync() => throw Unbreakable();

    public override Task RestartAsync() => throw Unbreakable();

    public override void Signal(int signal) => throw Unbreakable();

    public override ValueTask DisposeAsync() => _container.DisposeAsync();

    private static Xunit.Sdk.SkipException Unbreakable() => Xunit.Sdk.SkipException.ForSkip("There is no redis-server on this machine to be broken.");
}
