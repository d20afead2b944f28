using Gateway.AccessTokens;
using Gateway.Caching;
using Gateway.Catalog;
using Gateway.Catalog.Drift;
using Gateway.Catalog.Rendering;
using Gateway.Configuration;
using Gateway.Customer;
using Gateway.Egress;
using Gateway.Hosting;
using Gateway.Observability;
using Gateway.Proxy;
using Gateway.Security;
using Gateway.Upstreams;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;

if (CommandLine.IsTold(args, Console.Out))
{
    return 0;
}

if (!StartupValidation.Passes(args, Console.Error))
{
    return 1;
}

if (args.Contains(HealthProbe.Argument, StringComparer.Ordinal))
{
    return await HealthProbe.RunAsync(args, Console.Error);
}

// The settings files lie beside the program, wherever it is started from.
var builder = WebApplication.CreateBuilder(new WebApplicationOptions
{
    Args = CommandLine.Settings(args),
    ContentRootPath = AppContext.BaseDirectory,
});

// Host
builder.Configuration.KeepLastSettings();
if (!StartupValidation.Passes(builder.Configuration.AddSecretFiles, Console.Error)
    || !StartupValidation.Passes(() => RequestLimits.Check(builder.Configuration), Console.Error))
{
    return 1;
}

ManagementEndpoint.AddTo(builder.Configuration);
await using var logging = Logging.AddTo(builder);
OpenTelemetryExport.AddTo(builder.Services);
builder.Services.AddSingleton<StateGauges>();
builder.Services.AddGatewayHealth();
builder.WebHost.ConfigureKestrel(static (context, kestrel) => RequestLimits.Apply(kestrel, context.Configuration));
builder.Services.AddSingleton<IConnectionListenerFactory, BoundedListenerFactory>();
builder.Services.AddSingleton(TimeProvider.System);

// What runs in the background is beside the requests: its failure is a log line and not the end of the process
builder.Services.Configure<HostOptions>(static host => host.BackgroundServiceExceptionBehavior = BackgroundServiceExceptionBehavior.Ignore);
builder.Services.AddDrain();
builder.Services.AddGatewaySecurity();
builder.Services.AddGatewaySwagger();

// What the gateway does, from the bottom up
builder.Services.AddSingleton<CustomerCountry>();
builder.Services.AddEgress();
builder.Services.AddCaching();
builder.Services.AddAccessTokens();
builder.Services.AddUpstreams();
builder.Services.AddCatalog();
builder.Services.AddGatewayProxy(builder.Configuration);

var app = builder.Build();
((IConfigurationRoot)app.Configuration).LogSettings(app.Services.GetRequiredService<ILoggerFactory>());

// Nothing listens with a configuration that cannot work
if (!StartupValidation.Passes(app.Services, Console.Error))
{
    return 1;
}

// For what goes out and is not ours, such as a certificate chain's missing link
HttpClient.DefaultProxy = app.Services.GetRequiredService<EgressProxy>();

// Pipeline. The order is part of what is promised:
app.UsePathBase(app.Services.GetRequiredService<IOptions<HostingOptions>>().Value.PathBase); // before whatever looks at the path
app.UseMiddleware<HostFilter>();        // before anything answers: a host that is not ours gets nothing else
app.UseManagementPort();                // before the fast path: on the management port there is no catalog
app.UseMiddleware<DrainMiddleware>();   // before whatever answers, to count it and to end its connection
app.UseKnownProxies();                  // before whatever looks at the client's address or scheme
app.UseCatalogFastPath();               // before the log, which only sees the share of warm requests that is drawn for it
app.UseRequestLogging();                // around all that follows, to see how it ended
app.UseSecurityHeaders();               // before whatever answers; they are set when the response starts
app.UseRouting();                       // before whatever depends on the route: CORS, keys, audit, limits
app.UseIdentity();                      // CORS and API keys, before whatever asks who calls
app.UseMiddleware<AuditLog>();          // before the limits: a refused call leaves its line
app.UseRateLimits();
app.UseProblems();                      // around whatever can fail or be refused from here on
app.UseGatewaySwagger();
app.UseAuthorization();                 // after routing and identity
app.UseProxyProblems();                 // forwarded calls alone: outside their time-outs

// Routes
CatalogEndpoints.Map(app);
app.MapPurge();
app.MapPriceDrift();
app.MapHealth();
app.MapHealthDetails();
if (!StartupValidation.Passes(app.MapGatewayProxy, Console.Error))
{
    return 1;
}

if (args.Contains(CommandLine.CheckConfig, StringComparer.Ordinal))
{
    Console.WriteLine("The configuration is sound.");
    return args.Contains(CommandLine.Online, StringComparer.Ordinal) ? await OnlineCheck.RunAsync(app.Services, Console.Out) : 0;
}

StartupValidation.Warn(app.Services);
app.Services.GetRequiredService<StateGauges>().Register();

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
