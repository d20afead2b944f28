namespace Gateway.FunctionalTests.Oracle;

/// <summary>What an upstream answers to one question, as it goes over the wire.</summary>
/// <param name="Status">Zero: the connection is cut instead.</param>
/// <param name="Body">Null: that of the vendor for this status.</param>
internal sealed record Served(int Status, string? Body = null)
{
    public static readonly Served Cut = new(0);

    public static readonly Served NotFound = new(404);
}
