using Gateway.AccessTokens;
using Gateway.Admission;
using Gateway.Caching;
using Gateway.Catalog;
using Gateway.Configuration;
using Gateway.Hosting;
using Gateway.Hosting.Draining;
using Gateway.Hosting.Observability;
using Gateway.Hosting.Security;
using Gateway.Proxy;
using Gateway.Upstreams;
using Microsoft.AspNetCore.Connections;

const string CheckConfig = "--check-config";

if (args.Contains(HealthProbe.Argument, StringComparer.Ordinal))
{
    return await HealthProbe.RunAsync(args, Console.Error);
}

if (!args.Contains(CheckConfig, StringComparer.Ordinal))
{
    Rehearsal.Begin();
}

// The settings files lie beside the program, wherever it is started from.
var builder = WebApplication.CreateBuilder(new WebApplicationOptions
{
    Args = [.. args.Where(arg => arg != CheckConfig)],
    ContentRootPath = AppContext.BaseDirectory,
});

// Host
if (!StartupValidation.Passes(builder.Configuration.AddSecretFiles, Console.Error))
{
    return 1;
}

ManagementEndpoint.AddTo(builder.Configuration);
await using var logging = Logging.AddTo(builder);
builder.AddGatewayObservability();
builder.WebHost.ConfigureKestrel(RequestLimits.Apply);
builder.Services.AddSingleton(TimeProvider.System);

// What runs in the background is beside the requests: its failure is a log line and not the end of the process
builder.Services.Configure<HostOptions>(static host => host.BackgroundServiceExceptionBehavior = BackgroundServiceExceptionBehavior.Ignore);
builder.Services.AddDrain();
builder.Services.AddGatewaySecurity();
builder.Services.AddGatewaySwagger();

// What the gateway does, from the bottom up
builder.Services.AddAdmission();
builder.Services.AddCaching();
builder.Services.AddAccessTokens();
builder.Services.AddUpstreams();
builder.Services.AddCatalog();
builder.Services.AddGatewayProxy(builder.Configuration);

var app = builder.Build();

// Nothing listens with a configuration that cannot work
if (!StartupValidation.Passes(app.Services, Console.Error))
{
    return 1;
}

// Pipeline: whom we answer at all, ready answers, then what the others need
app.UseMiddleware<HostFilter>();
app.UseManagementPort();
app.UseKnownProxies();
app.UseReadyCatalog();
app.UseMiddleware<DrainMiddleware>();
app.UseRequestLogging();
app.UseAnswerHeaders();
app.UseRouting();
app.UseIdentity();
app.UseMiddleware<AuditLog>();
app.UseRateLimits();
app.UseAdmittedReadyCatalog();
app.UseProblems();
app.UseGatewaySwagger();
app.UseAuthorization();
app.UseMiddleware<ProxyProblems>();
app.UseRequestTimeouts();

// Routes
app.MapCatalog();
app.MapPurge();
app.MapPriceDrift();
app.MapHealth();
app.MapHealthDetails();
if (!StartupValidation.Passes(app.MapGatewayProxy, Console.Error))
{
    return 1;
}

if (args.Contains(CheckConfig, StringComparer.Ordinal))
{
    Console.WriteLine("The configuration is sound.");
    return 0;
}

StartupValidation.Warn(app.Services);
app.Services.GetRequiredService<Observables>().Register();

var stopping = app.Lifetime.ApplicationStopping;
try
{
    await app.RunAsync();
    return 0;
}
catch (OperationCanceledException) when (stopping.IsCancellationRequested)
{
    // Told to stop before it had started.
    return 0;
}
catch (IOException exception) when (exception.InnerException is AddressInUseException)
{
    await Console.Error.WriteLineAsync($"Cannot listen: {exception.Message}");
    return 1;
}
