using System.Collections.Concurrent;
using System.Globalization;
using System.Net;

namespace Gateway.DeploymentTests;

/// <summary>
/// Customers that ask one after another without end, each on a kept-alive connection of its own: warm answers, answers that need an
/// upstream, and a proxied call. What is not a whole 200 in time is a failure.
/// </summary>
internal sealed class SteadyLoad : IAsyncDisposable
{
    private const int Customers = 16;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    private static readonly string[] Countries = ["US", "FR", "JP", "DE", "GB", "KW", "BR", "IT", "ES", "PL"];

    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentBag<string> _failures = [];
    private readonly ConcurrentBag<TimeSpan> _times = [];
    private readonly List<Task> _customers;

    private SteadyLoad(Uri address) => _customers = [.. Enumerable.Range(0, Customers).Select(customer => AskAsync(address, customer))];

    public IReadOnlyCollection<string> Failures => _failures;

    public int Answered => _times.Count;

    public static SteadyLoad Start(Uri address) => new(address);

    /// <summary>Waits for so many more answers.</summary>
    public async Task MoreAsync(int answers)
    {
        var wanted = Answered + answers;
        await FunctionalTests.Stack.GatewayProcess.EventuallyAsync(() => Task.FromResult(Answered >= wanted), TimeSpan.FromSeconds(60));
    }

    public async Task<string> StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_customers);
        var times = _times.Order().ToList();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{times.Count + _failures.Count} requests, {_failures.Count} failed; median {Milliseconds(0.5)} ms, 99 % {Milliseconds(0.99)} ms, slowest {Milliseconds(1)} ms");

        string Milliseconds(double share) => times[Math.Min(times.Count - 1, (int)(share * times.Count))].TotalMilliseconds.ToString("0.0", CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_customers);
        _stop.Dispose();
    }

    private async Task AskAsync(Uri address, int customer)
    {
        using var client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 1 }) { BaseAddress = address, Timeout = TimeSpan.FromSeconds(10) };
        for (var number = 0; !_stop.IsCancellationRequested; number++)
        {
            // One product of fifty in one of ten countries: many have not been asked for yet.
            var path = (number % 4) switch
            {
                0 => $"/catalog?product=bulk_{(customer + (number * 7)) % 50:000}&country={Countries[number % Countries.Length]}",
                1 => "/billing/v1/products/builtfor_example/components",
                _ => "/catalog?product=builtfor_example&country=JP",
            };
            var started = TimeProvider.System.GetTimestamp();
            try
            {
                using var answer = await client.GetAsync(new Uri(path, UriKind.Relative));
                var body = await answer.Content.ReadAsByteArrayAsync();
                if (answer.StatusCode == HttpStatusCode.OK && body.Length > 0)
                {
                    _times.Add(TimeProvider.System.GetElapsedTime(started));
                }
                else
                {
                    _failures.Add($"{path}: {answer.StatusCode} {System.Text.Encoding.UTF8.GetString(body)}");
                }
            }
            catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or IOException)
            {
                _failures.Add($"{path}: {exception.Message}");
            }

            await Task.Delay(Pause, TimeProvider.System);
        }
    }
}
