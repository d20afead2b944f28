using System.Globalization;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests.Matrix;

/// <summary>
/// What the contract (its tables of problems and of reasons, and its words on caches, tokens and retries) says of a cell: derived,
/// not recorded. The question of all cells has three items, each with a SKU of its own.
/// </summary>
internal static class MatrixRules
{
    private const int Skus = 3;

    /// <summary>One attempt and two retries.</summary>
    private const int MostAttempts = 3;

    private static readonly string AllLive = Prices("live");

    public static Cell Expect(MatrixFault fault, MatrixState state) => state switch
    {
        // Nobody is asked.
        MatrixState.Warm => new Cell("200 complete", AllLive, Token: 0, Billing: 0, Paymentwall: 0),
        MatrixState.Cold => Cold(fault),
        _ => Stale(fault),
    };

    private static Cell Cold(MatrixFault fault)
    {
        if (fault.Effect == Effect.None)
        {
            return new Cell("200 complete", AllLive, Token: fault.Dependency == Dependency.Token ? 1 : 0, Billing: 1, Paymentwall: Skus);
        }

        return fault.Dependency switch
        {
            // A 401 is answered with one other token and one more call; then it stands.
            _ when fault.Effect == Effect.RefusedToken =>
                new Cell("502 upstreamRejected", "none", Token: fault.Dependency == Dependency.Token ? 2 : 1, Billing: 2, Paymentwall: 0),
            Dependency.Billing => new Cell(Problem(fault.Effect), "none", Token: 0, Attempts(fault, 1), Paymentwall: 0),
            Dependency.Paymentwall => new Cell("200 incomplete", Prices("unavailable: " + Reason(fault.Effect)), Token: 0, Billing: 1, Attempts(fault, Skus)),

            // Without a token there is no call. The token server is not asked twice.
            _ => new Cell("503 tokenUnavailable", "none", TokenRequests(fault), Billing: 0, Paymentwall: 0),
        };
    }

    /// <summary>After the refresh, if there can be one.</summary>
    private static Cell Stale(MatrixFault fault)
    {
        if (fault.Effect == Effect.None)
        {
            return new Cell("200 complete", AllLive, Token: fault.Dependency == Dependency.Token ? new Calls(0, 1) : 0, Billing: 1, Paymentwall: Skus);
        }

        return fault.Dependency switch
        {
            // A token that was got for a 401 is not renewed for the next.
            _ when fault.Effect == Effect.RefusedToken => new Cell("200 complete", AllLive, Token: 0, Billing: 1, Paymentwall: Skus),

            // Components have no label: what they say is not what customers pay.
            Dependency.Billing => new Cell("200 complete", AllLive, Token: 0, Attempts(fault, 1), Paymentwall: Skus),
            Dependency.Paymentwall => new Cell("200 complete", Prices("stale"), Token: 0, Billing: 1, Attempts(fault, Skus)),
            _ => new Cell("200 complete", AllLive, TokenRequests(fault), Billing: 0, Paymentwall: Skus),
        };
    }

    private static string Prices(string status) => string.Create(CultureInfo.InvariantCulture, $"{Skus} {status}");

    private static Calls Attempts(MatrixFault fault, int calls) =>
        !fault.Arrives ? 0
        : fault.Effect is Effect.Unreachable or Effect.Timeout or Effect.Failing ? new Calls(calls, calls * MostAttempts)
        : calls;

    /// <summary>A drip may, or may not, let the connection be secured in time.</summary>
    private static Calls TokenRequests(MatrixFault fault) => !fault.Arrives ? 0 : fault.Wire == WireFault.SlowDrip ? new Calls(0, 1) : 1;

    private static string Problem(Effect effect) => effect switch
    {
        Effect.Unreachable => "502 upstreamUnreachable",
        Effect.Timeout => "504 upstreamTimedOut",
        Effect.BadPayload => "502 upstreamBadPayload",
        _ => "502 upstreamRejected",
    };

    private static string Reason(Effect effect) => effect switch
    {
        Effect.Unreachable => "unreachable",
        Effect.Timeout => "timeout",
        Effect.BadPayload => "badPayload",
        Effect.Throttled => "throttled",
        _ => "rejected",
    };
}
