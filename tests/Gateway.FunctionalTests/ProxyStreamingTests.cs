using System.Globalization;
using System.Net;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>Bodies stream both ways, on a route that an operator added.</summary>
public sealed class ProxyStreamingTests : IAsyncLifetime
{
    private const int Megabyte = 1024 * 1024;

    private SimulatorProcess _simulator = null!;
    private StreamingUpstream _upstream = null!;
    private GatewayProcess _gateway = null!;
    private HttpClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _simulator = await SimulatorProcess.StartAsync();
        _upstream = await StreamingUpstream.StartAsync();
        _gateway = await GatewayProcess.StartAsync(
            _simulator,
            ("AccessTokens:AllowedOrigins", _upstream.Address),
            ("ReverseProxy:Clusters:own:Destinations:one:Address", _upstream.Address),
            ("ReverseProxy:Routes:own:ClusterId", "own"),
            ("ReverseProxy:Routes:own:AuthorizationPolicy", "proxy"),
            ("ReverseProxy:Routes:own:Timeout", "00:00:03"),
            ("ReverseProxy:Routes:own:MaxRequestBodySize", "300000000"),
            ("ReverseProxy:Routes:own:Match:Path", "/own/{**rest}"),
            ("ReverseProxy:Routes:own:Transforms:0:PathRemovePrefix", "/own"),
            ("ReverseProxy:Routes:own:Transforms:1:AccessToken", "true"));
        _client = new HttpClient { BaseAddress = _gateway.Address };
        _client.DefaultRequestHeaders.Add("X-Api-Key", GatewayProcess.ProxyKey);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
        await _simulator.DisposeAsync();
    }

    [Fact]
    public async Task A_body_of_200_MB_passes_with_flat_memory_in_both_directions()
    {
        await DownloadAsync(1);
        await UploadAsync(1);
        var before = ResidentBytes();

        Assert.Equal(200L * Megabyte, await DownloadAsync(200));
        Assert.Equal(200L * Megabyte, await UploadAsync(200));

        Assert.InRange(ResidentBytes() - before, long.MinValue, 60L * Megabyte);
    }

    [Fact]
    public async Task Events_arrive_as_they_are_sent_and_beyond_the_route_s_time_out()
    {
        using var response = await _client.GetAsync("/own/events", HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken)
            .WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System, TestContext.Current.CancellationToken);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));

        for (var number = 1; number <= 3; number++)
        {
            // The route's total time is 3 s; together these waits are longer.
            await Task.Delay(TimeSpan.FromSeconds(1.2), TimeProvider.System, TestContext.Current.CancellationToken);
            _upstream.SendEvent();
            Assert.Equal($"data: {number.ToString(CultureInfo.InvariantCulture)}", await reader.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System, TestContext.Current.CancellationToken));
            Assert.Empty((await reader.ReadLineAsync(TestContext.Current.CancellationToken))!);
        }

        Assert.Null(await reader.ReadLineAsync(TestContext.Current.CancellationToken));
    }

    private async Task<long> DownloadAsync(int megabytes)
    {
        using var response = await _client.GetAsync($"/own/large/{megabytes.ToString(CultureInfo.InvariantCulture)}", HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        await using var body = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        var counter = new CountingStream();
        await body.CopyToAsync(counter, TestContext.Current.CancellationToken);
        return counter.Count;
    }

    private async Task<long> UploadAsync(int megabytes)
    {
        using var body = new BlocksContent(megabytes);
        using var response = await _client.PostAsync("/own/count", body, TestContext.Current.CancellationToken);
        return long.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), CultureInfo.InvariantCulture);
    }

    private long ResidentBytes() => File.ReadLines($"/proc/{_gateway.ProcessId.ToString(CultureInfo.InvariantCulture)}/status")
        .Where(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))
        .Select(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024)
        .Single();

    private sealed class BlocksContent(int megabytes) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            var block = new byte[Megabyte];
            for (var sent = 0; sent < megabytes; sent++)
            {
                await stream.WriteAsync(block);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    private sealed class CountingStream : Stream
    {
        public long Count { get; private set; }

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => Count;

        public override long Position
        {
            get => Count;
            set => throw new NotSupportedException();
        }

        public override void Flush()
        {
            // Nothing is kept.
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => Count += count;

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Count += buffer.Length;
            return ValueTask.CompletedTask;
        }
    }
}
