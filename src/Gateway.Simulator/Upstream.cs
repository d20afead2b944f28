namespace Gateway.Simulator;

/// <summary>The simulated systems, by the names that the control API and the log use.</summary>
internal static class Upstream
{
    public const string Authorization = "authorization";
    public const string Billing = "billing";
    public const string Paymentwall = "paymentwall";

    /// <summary>The fourth listener; it has neither faults nor a request log.</summary>
    public const string Control = "control";

    public static readonly string[] All = [Authorization, Billing, Paymentwall];
}
