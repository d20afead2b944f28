namespace Gateway.DeploymentTests.Soak;

/// <summary>A promise that was not kept.</summary>
/// <param name="At">When it was seen.</param>
/// <param name="Promise">A short name, by which violations are counted.</param>
/// <param name="What">In words, with what was expected.</param>
/// <param name="Request">Method and path; empty if it is no single request's.</param>
/// <param name="Excerpt">Of the answer.</param>
internal sealed record Violation(DateTimeOffset At, string Promise, string What, string Request, string Excerpt);
