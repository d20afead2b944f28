using Gateway.Configuration;
using Gateway.Hosting;
using Gateway.Tests.Configuration;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Hosting;

public sealed class DrainMiddlewareTests : IDisposable
{
    private readonly ApplicationLifetime _lifetime = new(NullLogger<ApplicationLifetime>.Instance);
    private readonly Drain _drain;

    public DrainMiddlewareTests() => _drain = new Drain(
        Fixed.Options(new HostingOptions()), Fixed.Options(new HostOptions()), new HostingEnvironment(), _lifetime, TimeProvider.System, NullLogger<Drain>.Instance);

    public void Dispose() => _drain.Dispose();

    [Fact]
    public async Task A_request_is_counted_until_its_answer_is_written()
    {
        var answer = new TaskCompletionSource();

        var answering = new DrainMiddleware(_ => answer.Task, _drain).InvokeAsync(new DefaultHttpContext());
        Assert.Equal(1, _drain.Active);
        answer.SetResult();
        await answering;

        Assert.Equal(0, _drain.Active);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task One_that_fails_is_counted_no_longer(bool atOnce)
    {
        var middleware = new DrainMiddleware(
            _ => atOnce ? throw new InvalidOperationException() : Task.FromException(new InvalidOperationException()), _drain);

        await Assert.ThrowsAsync<InvalidOperationException>(() => middleware.InvokeAsync(new DefaultHttpContext()));

        Assert.Equal(0, _drain.Active);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Only_while_draining_the_connection_ends_with_the_answer(bool isDraining)
    {
        var context = new DefaultHttpContext();
        var connection = new Connection();
        context.Features.Set<IConnectionLifetimeNotificationFeature>(connection);
        if (isDraining)
        {
            _lifetime.StopApplication();
        }

        await new DrainMiddleware(_ => Task.CompletedTask, _drain).InvokeAsync(context);

        Assert.Equal(isDraining, connection.IsClosing);
    }

    private sealed class Connection : IConnectionLifetimeNotificationFeature
    {
        public bool IsClosing { get; private set; }

        public CancellationToken ConnectionClosedRequested { get; set; }

        public void RequestClose() => IsClosing = true;
    }
}
