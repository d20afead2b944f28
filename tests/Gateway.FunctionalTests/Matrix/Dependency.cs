namespace Gateway.FunctionalTests.Matrix;

/// <summary>What the gateway stands on.</summary>
internal enum Dependency
{
    Billing,
    Paymentwall,
    Token,
    Redis,
}
