using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.Json;
using Gateway.Simulator;
using Gateway.Simulator.Hosting;
using Gateway.Simulator.Requests;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Console;

// Configuration: environment, then the command line over it.
var configuration = new ConfigurationBuilder().AddEnvironmentVariables().AddCommandLine(args).Build();
SimulatorOptions options;
try
{
    options = configuration.GetSection(SimulatorOptions.Section).Get<SimulatorOptions>() ?? new SimulatorOptions();
}
catch (InvalidOperationException exception)
{
    return await FailAsync(exception.Message);
}

if (options.Errors().ToArray() is { Length: > 0 } errors)
{
    return await FailAsync(string.Join(' ', errors));
}

// Whether the one that runs with the same configuration is up: for a container whose image has no shell.
if (args.Contains("--check-health", StringComparer.Ordinal))
{
    try
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(3) };
        using var answer = await client.GetAsync(new Uri($"http://127.0.0.1:{options.ControlPort}/health"));
        return answer.IsSuccessStatusCode ? 0 : 1;
    }
    catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
    {
        return await FailAsync(exception.Message);
    }
}

// Signals first: one that comes during the start must not kill half of it.
var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.TrySetResult();
}

using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);

// Log: standard error, since standard output has the READY line to itself. Until all listen Kestrel keeps silent: what fails
// at the start is said in one line below.
var listening = false;
using var loggerFactory = LoggerFactory.Create(logging => logging
    .AddFilter(null, LogLevel.Warning)
    .AddFilter(RequestRecorder.LogCategory, LogLevel.Information)
    .AddFilter("Microsoft.Extensions.Hosting", LogLevel.None)
    .AddFilter("Microsoft.AspNetCore.Server.Kestrel", level => level >= LogLevel.Warning && Volatile.Read(ref listening))
    .AddConfiguration(configuration.GetSection("Logging"))
    .AddSimpleConsole(console =>
    {
        console.SingleLine = true;
        console.TimestampFormat = "HH:mm:ss.fff ";
        console.ColorBehavior = LoggerColorBehavior.Disabled;
    })
    .Services.Configure<ConsoleLoggerOptions>(console =>
    {
        console.LogToStandardErrorThreshold = LogLevel.Trace;

        // Whoever started this process may not read its log: lines are lost then, requests never wait.
        console.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite;
    }));

// State and certificates.
using var authority = CertificateAuthority.Create(options.CertificatesExpired);
using var certificate = authority.IssueServerCertificate([.. new[] { options.Host, "localhost", "127.0.0.1", "::1" }.Distinct(StringComparer.Ordinal)]);
var (scheme, upstreamCertificate) = options.Https ? (Uri.UriSchemeHttps, certificate) : (Uri.UriSchemeHttp, null);
var state = new SimulatorState(options, TimeProvider.System);

// The four applications.
(string Key, int Port, WebApplication App)[] apps =
[
    (nameof(options.AuthorizationPort), options.AuthorizationPort, UpstreamApps.Authorization(state, loggerFactory, certificate)),
    (nameof(options.BillingPort), options.BillingPort, UpstreamApps.Billing(state, loggerFactory, upstreamCertificate)),
    (nameof(options.PaymentwallPort), options.PaymentwallPort, UpstreamApps.Paymentwall(state, loggerFactory, upstreamCertificate)),
    (nameof(options.ControlPort), options.ControlPort, UpstreamApps.Control(state, loggerFactory)),
];

try
{
    foreach (var (key, port, app) in apps)
    {
        try
        {
            await app.StartAsync();
        }
        catch (Exception exception) when (exception is IOException or SocketException)
        {
            var reason = exception.InnerException is AddressInUseException
                ? "is already in use"
                : $"cannot be listened on ({exception.Message})";
            return await FailAsync(
                $"Port {port} on {options.ListenAddress} {reason}; choose another: --{SimulatorOptions.Section}:{key}=PORT (0: any free).");
        }

        if (app == apps[0].App)
        {
            state.Tokens.Issuer = $"https://{options.Host}:{UpstreamServer.Port(app)}/";
        }
    }

    var file = Path.GetFullPath(options.CertificateFile);
    try
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await File.WriteAllTextAsync(file, authority.ExportPem() + "\n");
    }
    catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
    {
        return await FailAsync(
            $"{SimulatorOptions.Section}:{nameof(options.CertificateFile)} cannot be written: {exception.Message}");
    }

    Volatile.Write(ref listening, true);
    var host = options.Host == "localhost" ? "127.0.0.1" : options.Host;
    var ready = JsonSerializer.Serialize(new
    {
        authority = state.Tokens.Issuer,
        billing = $"{scheme}://{host}:{UpstreamServer.Port(apps[1].App)}/",
        paymentwall = $"{scheme}://{host}:{UpstreamServer.Port(apps[2].App)}/",
        control = $"http://{host}:{UpstreamServer.Port(apps[3].App)}/",
        certificateFile = file,
    });
    await Console.Out.WriteLineAsync($"SIMULATOR READY {ready}");
    await Console.Out.FlushAsync();
    await stop.Task;
    return 0;
}
finally
{
    Volatile.Write(ref listening, false);
    await Task.WhenAll(apps.Select(a => a.App.StopAsync()));
    foreach (var (_, _, app) in apps)
    {
        await app.DisposeAsync();
    }
}

static async Task<int> FailAsync(string message)
{
    await Console.Error.WriteLineAsync($"Simulator: {message}");
    return 1;
}
