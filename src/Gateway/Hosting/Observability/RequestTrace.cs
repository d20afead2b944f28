using System.Diagnostics;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Hosting.Observability;

/// <summary>
/// The trace id that a request's problems and log lines carry where no spans are collected: the caller's (W3C <c>traceparent</c>), else
/// a new one. ASP.NET Core would begin an activity and a logging scope for every request, which a ready answer has no use for
/// (<see cref="Logging"/> keeps it from that); here it is begun for those that go further, and for a line about one that did not.
/// </summary>
internal static class RequestTrace
{
    /// <summary>The request's activity; begun if there is none.</summary>
    public static Activity Of(HttpContext context)
    {
        if ((Activity.Current ?? context.Features.Get<IHttpActivityFeature>()?.Activity) is { } begun)
        {
            return begun;
        }

        var activity = new Activity("request");
        DistributedContextPropagator.Current.ExtractTraceIdAndState(context.Request.Headers, Read, out var parent, out var state);
        if (ActivityContext.TryParse(parent, state, isRemote: true, out var caller))
        {
            activity.SetParentId(caller.TraceId, caller.SpanId, caller.TraceFlags);
            activity.TraceStateString = state;
        }

        // Never stopped: nobody listens to it, and a stopped one gives its id to no log line.
        context.Features.Set<IHttpActivityFeature>(new Feature { Activity = activity.Start() });
        return activity;
    }

    private static void Read(object? carrier, string name, out string? value, out IEnumerable<string>? values)
    {
        values = null;
        value = (string?)((IHeaderDictionary)carrier!)[name];
    }

    private sealed class Feature : IHttpActivityFeature
    {
        public required Activity Activity { get; set; }
    }
}
