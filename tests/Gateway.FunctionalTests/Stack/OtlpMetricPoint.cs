namespace Gateway.FunctionalTests.Stack;

internal enum OtlpMetricType
{
    Gauge,
    Sum,
    Histogram,
}

internal enum OtlpTemporality
{
    /// <summary>A gauge has none.</summary>
    Unspecified = 0,
    Delta = 1,
    Cumulative = 2,
}

/// <summary>One value of one series of a metric, as it was exported.</summary>
/// <param name="Name">The metric's name.</param>
/// <param name="Unit">UCUM, for example <c>s</c> or <c>{request}</c>.</param>
/// <param name="Description">Empty if there is none.</param>
/// <param name="Type">Which of the following are set.</param>
/// <param name="Temporality">What the value counts from.</param>
/// <param name="IsMonotonic">A sum that only rises: a counter.</param>
/// <param name="Scope">The name of the instrumentation scope: of the meter.</param>
/// <param name="Resource">The attributes of the process that sent it.</param>
/// <param name="Attributes">As of <see cref="OtlpSpan"/>.</param>
/// <param name="Time">From the start of the series (the same moment again if it has none) to the moment of this value.</param>
/// <param name="Value">Of a gauge or sum, and NaN for a histogram. Integers beyond 2^53 lose digits.</param>
/// <param name="Histogram">Null for a gauge or sum.</param>
internal sealed record OtlpMetricPoint(
    string Name,
    string Unit,
    string Description,
    OtlpMetricType Type,
    OtlpTemporality Temporality,
    bool IsMonotonic,
    string Scope,
    IReadOnlyDictionary<string, object?> Resource,
    IReadOnlyDictionary<string, object?> Attributes,
    TimeRange Time,
    double Value,
    OtlpHistogram? Histogram)
{
    public bool Has(string key, object value) => Equals(Attributes.GetValueOrDefault(key), value);

    /// <summary>What is the same of all values of a series.</summary>
    public string Series => $"{Scope} {Name}{OtlpDecoder.Describe(Attributes)} of {OtlpDecoder.Describe(Resource)}";

    public override string ToString() => $"{Series} = {(Histogram is null ? Value : Histogram)}";
}

/// <summary>The buckets of a histogram; <paramref name="BucketCounts"/> has one more than <paramref name="Bounds"/>, or both are empty.</summary>
internal sealed record OtlpHistogram(
    long Count, double? Sum, double? Min, double? Max, IReadOnlyList<long> BucketCounts, IReadOnlyList<double> Bounds);
