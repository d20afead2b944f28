using System.Security.Cryptography.X509Certificates;
using Gateway.Simulator.AuthorizationServer;
using Gateway.Simulator.Billing;
using Gateway.Simulator.Control;
using Gateway.Simulator.Faults;
using Gateway.Simulator.Paymentwall;
using Gateway.Simulator.Requests;

namespace Gateway.Simulator.Hosting;

/// <summary>
/// The four applications. An upstream's pipeline: routing (the log needs the endpoint), recording, faults, authentication,
/// endpoint.
/// </summary>
internal static class UpstreamApps
{
    public static WebApplication Authorization(SimulatorState state, ILoggerFactory loggerFactory, X509Certificate2 certificate)
    {
        var app = UpstreamServer.Create(state.Options.Address, state.Options.AuthorizationPort, loggerFactory, certificate);
        UseRecordingAndFaults(app, Upstream.Authorization, state, loggerFactory);
        AuthorizationEndpoints.Map(app, state);
        MapOther(app, Answers.OAuthError("not_found", "No such endpoint."));
        return app;
    }

    public static WebApplication Billing(SimulatorState state, ILoggerFactory loggerFactory, X509Certificate2? certificate)
    {
        var app = UpstreamServer.Create(state.Options.Address, state.Options.BillingPort, loggerFactory, certificate);
        UseRecordingAndFaults(app, Upstream.Billing, state, loggerFactory);
        app.Use((context, next) => BillingEndpoints.AuthenticateAsync(context, next, state.Validator));
        BillingEndpoints.Map(app, state);
        MapOther(app, Answers.BillingError(404, "Cannot find this resource"));
        return app;
    }

    public static WebApplication Paymentwall(SimulatorState state, ILoggerFactory loggerFactory, X509Certificate2? certificate)
    {
        var app = UpstreamServer.Create(state.Options.Address, state.Options.PaymentwallPort, loggerFactory, certificate);
        UseRecordingAndFaults(app, Upstream.Paymentwall, state, loggerFactory);
        PaymentwallEndpoints.Map(app, state);
        MapOther(app, Answers.PaymentwallError(404, "Not found"));
        return app;
    }

    public static WebApplication Control(SimulatorState state, ILoggerFactory loggerFactory)
    {
        var app = UpstreamServer.Create(state.Options.Address, state.Options.ControlPort, loggerFactory);
        var recorder = new RequestRecorder(Upstream.Control, log: null, loggerFactory.CreateLogger(RequestRecorder.LogCategory));
        app.Use(recorder.InvokeAsync);

        // Before routing, where DELETE / would answer for the page's GET /.
        Storefront.Use(app, state.Options);
        app.UseRouting();
        ControlEndpoints.Map(app, state);
        MapOther(app, """{"error":"No such endpoint."}"""u8.ToArray());
        return app;
    }

    private static void UseRecordingAndFaults(
        WebApplication app, string upstream, SimulatorState state, ILoggerFactory loggerFactory)
    {
        var log = state.Requests[upstream];
        var recorder = new RequestRecorder(upstream, log, loggerFactory.CreateLogger(RequestRecorder.LogCategory));
        var faults = new FaultMiddleware(
            upstream, state.Faults[upstream], log, state.TimeProvider, app.Lifetime.ApplicationStopping);
        app.UseRouting();
        app.Use(recorder.InvokeAsync);
        app.Use(faults.InvokeAsync);
    }

    /// <summary>Any method, any path: also takes the place of routing's own 405.</summary>
    private static void MapOther(IEndpointRouteBuilder app, byte[] body) =>
        app.Map(RequestRecorder.OtherPattern, context => Answers.SendAsync(context, 404, body)).WithOrder(int.MaxValue);
}
