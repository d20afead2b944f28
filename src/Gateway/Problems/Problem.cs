namespace Gateway.Problems;

/// <summary>
/// The closed table of failures that the gateway itself answers with: the one place where a status code is chosen.
/// On the wire each is an RFC 9457 problem whose type is <c>urn:gateway:problem:CODE</c>.
/// </summary>
internal sealed record Problem(string Code, int Status, string Title)
{
    public static readonly Problem InvalidParameter = new("invalidParameter", 400, "A parameter is missing or has a value that is not allowed.");
    public static readonly Problem Unauthenticated = new("unauthenticated", 401, "This needs a valid API key.");
    public static readonly Problem Forbidden = new("forbidden", 403, "The API key does not permit this.");
    public static readonly Problem ProductNotFound = new("productNotFound", 404, "Billing knows no such product.");
    public static readonly Problem RouteNotFound = new("routeNotFound", 404, "There is no such permitted route.");
    public static readonly Problem MethodNotAllowed = new("methodNotAllowed", 405, "The route exists, but not for this method.");
    public static readonly Problem TooLarge = new("tooLarge", 413, "The request body is beyond its limit.");
    public static readonly Problem TooManyRequests = new("tooManyRequests", 429, "Too many requests.");
    public static readonly Problem InternalError = new("internalError", 500, "The gateway failed; the trace id leads to the reason.");
    public static readonly Problem UpstreamRejected = new("upstreamRejected", 502, "An upstream refused the gateway's call.");
    public static readonly Problem UpstreamBadPayload = new("upstreamBadPayload", 502, "An upstream's answer could not be understood.");
    public static readonly Problem UpstreamUnreachable = new("upstreamUnreachable", 502, "An upstream could not be reached.");
    public static readonly Problem UpstreamOutcomeUnknown = new("upstreamOutcomeUnknown", 502, "The connection broke after the call was sent; the upstream may have done it.");
    public static readonly Problem TokenUnavailable = new("tokenUnavailable", 503, "No access token could be obtained.");
    public static readonly Problem CircuitOpen = new("circuitOpen", 503, "An upstream kept failing and is being left alone for a moment.");
    public static readonly Problem PricesUnavailable = new("pricesUnavailable", 503, "Not every price could be obtained.");
    public static readonly Problem Overloaded = new("overloaded", 503, "The gateway has too much to do.");
    public static readonly Problem UpstreamTimedOut = new("upstreamTimedOut", 504, "An upstream did not answer in time.");

    public static IReadOnlyList<Problem> All { get; } =
    [
        InvalidParameter, Unauthenticated, Forbidden, ProductNotFound, RouteNotFound, MethodNotAllowed, TooLarge, TooManyRequests,
        InternalError, UpstreamRejected, UpstreamBadPayload, UpstreamUnreachable, UpstreamOutcomeUnknown, TokenUnavailable, CircuitOpen, PricesUnavailable,
        Overloaded, UpstreamTimedOut,
    ];

    public string Type => "urn:gateway:problem:" + Code;

    /// <summary>Whether the answer carries <c>Retry-After</c>.</summary>
    public bool IsRetriable => Status is 429 or 503;
}
