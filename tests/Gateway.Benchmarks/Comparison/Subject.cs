using System.Net;
using System.Net.Sockets;

namespace Gateway.Benchmarks.Comparison;

/// <summary>A server under load: its process and its address.</summary>
internal sealed class Subject(Child process, int port) : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(Invariant($"http://127.0.0.1:{port}/")) };

    public Child Process => process;

    public Uri Address => _client.BaseAddress!;

    public Uri At(string path) => new(Address, path);

    /// <summary>The body of the answer; anything but <paramref name="expected"/> ends the comparison.</summary>
    public async Task<(HttpResponseMessage Response, byte[] Body)> GetAsync(
        string path, HttpStatusCode expected = HttpStatusCode.OK, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        var response = await _client.SendAsync(request);
        var body = await response.Content.ReadAsByteArrayAsync();
        return response.StatusCode == expected
            ? (response, body)
            : throw new InvalidOperationException($"{At(path)} answered {(int)response.StatusCode}: {System.Text.Encoding.UTF8.GetString(body)}\n{Tail()}");
    }

    /// <summary>Asks until the answer is a 200.</summary>
    /// <returns>When it was there.</returns>
    public async Task<long> AnsweredAsync(string path, Func<byte[], bool>? isIt = null)
    {
        var started = TimeProvider.System.GetTimestamp();
        var last = string.Empty;
        while (true)
        {
            try
            {
                // Cheaper to be refused than a client's exceptions are, while what is waited for needs the processors.
                while (!await ListensAsync() && !process.HasExited && TimeProvider.System.GetElapsedTime(started) < Patience)
                {
                    await Task.Delay(Pause, TimeProvider.System);
                }

                using var response = await _client.GetAsync(new Uri(path, UriKind.Relative));
                var body = await response.Content.ReadAsByteArrayAsync();
                if (response.StatusCode == HttpStatusCode.OK && (isIt is null || isIt(body)))
                {
                    return TimeProvider.System.GetTimestamp();
                }

                last = Invariant($"{(int)response.StatusCode} {System.Text.Encoding.UTF8.GetString(body)}");
            }
            catch (HttpRequestException exception)
            {
                last = exception.Message;
            }

            if (process.HasExited || TimeProvider.System.GetElapsedTime(started) > Patience)
            {
                throw new InvalidOperationException($"{At(path)} did not answer as expected: {last}\n{Tail()}");
            }

            // What is asked for more than a 200 is nothing that is timed.
            await Task.Delay(isIt is null ? Pause : 25 * Pause, TimeProvider.System);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await process.DisposeAsync();
    }

    private async Task<bool> ListensAsync()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var attempt = new SocketAsyncEventArgs { RemoteEndPoint = new IPEndPoint(IPAddress.Loopback, port) };
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        attempt.Completed += (_, _) => done.TrySetResult();
        if (socket.ConnectAsync(attempt))
        {
            await done.Task;
        }

        return attempt.SocketError == SocketError.Success;
    }

    private string Tail() => string.Join('\n', process.Output.Split('\n').TakeLast(20));
}
