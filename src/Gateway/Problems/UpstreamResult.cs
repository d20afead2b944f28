using System.Diagnostics.CodeAnalysis;

namespace Gateway.Problems;

/// <summary>What an upstream answered, or why there is no answer. Made by <see cref="UpstreamResult"/>.</summary>
internal sealed class UpstreamResult<T>
{
    private readonly T _value;

    internal UpstreamResult(T value, UpstreamFailure? failure, DateTimeOffset? staleAsOf = null)
    {
        _value = value;
        Failure = failure;
        StaleAsOf = staleAsOf;
    }

    /// <summary>When the answer was got, if the last attempt to get it anew failed; else null.</summary>
    public DateTimeOffset? StaleAsOf { get; }

    /// <summary>Null when there is an answer.</summary>
    public UpstreamFailure? Failure { get; }

    /// <summary>The answer; the failure is meaningful only when this returns false.</summary>
    public bool TryGet([MaybeNullWhen(false)] out T value, out UpstreamFailure failure)
    {
        value = _value;
        failure = Failure.GetValueOrDefault();
        return Failure is null;
    }
}

internal static class UpstreamResult
{
    public static UpstreamResult<T> Of<T>(T value, DateTimeOffset? staleAsOf = null) => new(value, failure: null, staleAsOf);

    public static UpstreamResult<T> Failed<T>(UpstreamFailure failure) => new(default!, failure);
}
