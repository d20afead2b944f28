namespace Gateway.DeploymentTests.Soak;

/// <summary>One thing that was made to go wrong, and what it excuses.</summary>
/// <param name="Target"><c>billing</c>, <c>paymentwall</c>, <c>authorization</c>, <c>redis</c>, <c>kill</c>, <c>restart</c>, <c>purge</c> or <c>revoke</c>.</param>
/// <param name="What">In words.</param>
/// <param name="From">Its begin.</param>
/// <param name="Aftermath">For how long after its end it still excuses.</param>
/// <param name="Excuses">As <see cref="AnswerChecker"/> asks for them, such as <c>paymentwall:throttled</c>.</param>
internal sealed record Trouble(string Target, string What, DateTimeOffset From, TimeSpan Aftermath, params IReadOnlyList<string> Excuses)
{
    private long _until;

    /// <summary>Null: it goes on.</summary>
    public DateTimeOffset? Until => Volatile.Read(ref _until) is var ticks and not 0 ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;

    public void End(DateTimeOffset now) => Volatile.Write(ref _until, now.UtcTicks);

    /// <summary>It was so at some time between the two, or had been until shortly before.</summary>
    public bool Touches(DateTimeOffset from, DateTimeOffset to, TimeSpan aftermath) => From <= to && !(Until + aftermath < from);
}
