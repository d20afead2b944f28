using System.Text.Json.Serialization;

namespace Gateway.Problems;

/// <summary>Why a call to an upstream yielded nothing: a closed set, and the names that clients see.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<UpstreamFailure>))]
internal enum UpstreamFailure
{
    /// <summary>No complete answer within our own deadline.</summary>
    [JsonStringEnumMemberName("timeout")]
    Timeout,

    /// <summary>No connection, or it broke before the answer was complete.</summary>
    [JsonStringEnumMemberName("unreachable")]
    Unreachable,

    /// <summary>An answer with a status that means no: 3xx, 4xx or 5xx.</summary>
    [JsonStringEnumMemberName("rejected")]
    Rejected,

    /// <summary>An answer that is not of the documented shape, or is too large.</summary>
    [JsonStringEnumMemberName("badPayload")]
    BadPayload,

    /// <summary>429.</summary>
    [JsonStringEnumMemberName("throttled")]
    Throttled,

    /// <summary>Not called, because it kept failing.</summary>
    [JsonStringEnumMemberName("circuitOpen")]
    CircuitOpen,

    /// <summary>Not called, because there is no access token to call it with.</summary>
    [JsonStringEnumMemberName("tokenUnavailable")]
    TokenUnavailable,
}

/// <summary>The one switch from failures to problems.</summary>
internal static class UpstreamFailureExtensions
{
    /// <summary>As clients see it, for metrics and traces.</summary>
    public static string Name(this UpstreamFailure failure) => failure switch
    {
        UpstreamFailure.Timeout => "timeout",
        UpstreamFailure.Unreachable => "unreachable",
        UpstreamFailure.Rejected => "rejected",
        UpstreamFailure.BadPayload => "badPayload",
        UpstreamFailure.Throttled => "throttled",
        UpstreamFailure.CircuitOpen => "circuitOpen",
        UpstreamFailure.TokenUnavailable => "tokenUnavailable",
        _ => throw new ArgumentOutOfRangeException(nameof(failure), failure, message: null),
    };

    public static Problem ToProblem(this UpstreamFailure failure) => failure switch
    {
        UpstreamFailure.Timeout => Problem.UpstreamTimedOut,
        UpstreamFailure.Unreachable => Problem.UpstreamUnreachable,
        UpstreamFailure.Rejected => Problem.UpstreamRejected,
        UpstreamFailure.BadPayload => Problem.UpstreamBadPayload,
        UpstreamFailure.Throttled => Problem.UpstreamRejected,
        UpstreamFailure.CircuitOpen => Problem.CircuitOpen,
        UpstreamFailure.TokenUnavailable => Problem.TokenUnavailable,
        _ => throw new ArgumentOutOfRangeException(nameof(failure), failure, message: null),
    };
}
