namespace Gateway.FunctionalTests.Matrix;

/// <summary>What a fault is to the call that meets it, in the contract's words.</summary>
internal enum Effect
{
    /// <summary>The answer is as good as any: be liberal in what you accept.</summary>
    None,
    Unreachable,
    Timeout,

    /// <summary>5xx: a rejection that may pass, so it is tried again.</summary>
    Failing,
    Rejected,
    Throttled,
    BadPayload,

    /// <summary>The token itself is fine by the looks of it, and Billing will not have it.</summary>
    RefusedToken,
}
