using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Gateway.FunctionalTests.Stack;

/// <summary>The simulator as a process of its own, and its control API.</summary>
internal sealed class SimulatorProcess : IAsyncDisposable
{
    private readonly ChildProcess _process;
    private readonly HttpClient _control;

    private SimulatorProcess(ChildProcess process, JsonNode ready)
    {
        _process = process;
        Authority = new Uri((string)ready["authority"]!);
        Billing = new Uri((string)ready["billing"]!);
        Paymentwall = new Uri((string)ready["paymentwall"]!);
        CertificateFile = (string)ready["certificateFile"]!;

        // Never behind a proxy, whatever host the upstreams are to be reached by.
        Control = new UriBuilder((string)ready["control"]!) { Host = "127.0.0.1" }.Uri;
        _control = new HttpClient { BaseAddress = Control };
    }

    public Uri Authority { get; }

    public Uri Billing { get; }

    public Uri Paymentwall { get; }

    /// <summary>The control API and the storefront page.</summary>
    public Uri Control { get; }

    public string CertificateFile { get; }

    public static async Task<SimulatorProcess> StartAsync(params string[] arguments)
    {
        var process = ChildProcess.Start(
            "dotnet",
            [
                Programs.Simulator, "--Simulator:AuthorizationPort=0", "--Simulator:BillingPort=0", "--Simulator:PaymentwallPort=0",
                "--Simulator:ControlPort=0", $"--Simulator:CertificateFile={Path.Combine(Path.GetTempPath(), $"gateway-test-ca-{Guid.NewGuid():N}.pem")}",
                .. arguments,
            ],
            []);
        var line = await process.LineAsync(line => line.StartsWith("SIMULATOR READY ", StringComparison.Ordinal));
        return new SimulatorProcess(process, JsonNode.Parse(line["SIMULATOR READY ".Length..])!);
    }

    /// <summary>Everything back to start: faults, overrides, records, settings.</summary>
    public Task ResetAsync() => SendAsync(HttpMethod.Post, "reset");

    /// <param name="upstream"><c>authorization</c>, <c>billing</c> or <c>paymentwall</c>.</param>
    /// <param name="fault">See the simulator's control API.</param>
    public Task FaultAsync(string upstream, object fault) => SendAsync(HttpMethod.Put, $"faults/{upstream}", JsonSerializer.Serialize(fault));

    /// <summary>Forgets what was received so far.</summary>
    public Task ForgetAsync() => SendAsync(HttpMethod.Delete, "requests");

    public Task ClearFaultsAsync() => SendAsync(HttpMethod.Delete, "faults");

    public Task RevokeTokensAsync() => SendAsync(HttpMethod.Post, "tokens/revoke");

    public Task TokenSettingsAsync(object settings) => SendAsync(HttpMethod.Put, "tokens/settings", JsonSerializer.Serialize(settings));

    /// <summary>Serves this text for a SKU, in every country or in this one alone.</summary>
    public Task PriceAsync(string sku, string body, string? country = null) =>
        SendAsync(HttpMethod.Put, $"paymentwall/prices/{Uri.EscapeDataString(sku)}{(country is null ? "" : "?country=" + country)}", body);

    /// <summary>Serves this text as the components of a product.</summary>
    public Task ComponentsAsync(string productId, string body) => SendAsync(HttpMethod.Put, $"billing/products/{productId}", body);

    public async Task<int> CountAsync(string upstream, string endpoint) => (int?)(await CountsAsync())[upstream]?[endpoint] ?? 0;

    /// <summary>All requests that an upstream received.</summary>
    public async Task<int> TotalAsync(string upstream) => (await CountsAsync())[upstream]?.AsObject().Sum(pair => (int)pair.Value!) ?? 0;

    public Task<int> TokenRequestsAsync() => CountAsync("authorization", "POST /oauth2/token");

    public async Task<int> MostInFlightAsync(string upstream) => (int)(await CountsAsync())["inFlightMax"]![upstream]!;

    /// <summary>What an upstream received, in order.</summary>
    public async Task<IReadOnlyList<ReceivedRequest>> ReceivedAsync(string upstream) =>
        (await _control.GetFromJsonAsync<List<ReceivedRequest>>($"requests/{upstream}", JsonSerializerOptions.Web, TestContext.Current.CancellationToken))!;

    public async ValueTask DisposeAsync()
    {
        _control.Dispose();
        await _process.DisposeAsync();
        File.Delete(CertificateFile);
    }

    private async Task<JsonNode> CountsAsync() =>
        (await _control.GetFromJsonAsync<JsonNode>("requests", TestContext.Current.CancellationToken))!;

    private async Task SendAsync(HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        }

        using var response = await _control.SendAsync(request, TestContext.Current.CancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            throw new InvalidOperationException(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }
    }
}
