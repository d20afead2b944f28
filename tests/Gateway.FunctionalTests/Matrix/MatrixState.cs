namespace Gateway.FunctionalTests.Matrix;

/// <summary>What the gateway knows of the answer when the fault is there.</summary>
internal enum MatrixState
{
    /// <summary>Everything, fresh.</summary>
    Warm,

    /// <summary>Nothing of this language and country; of others, everything.</summary>
    Cold,

    /// <summary>Everything, due for a refresh.</summary>
    Stale,
}
