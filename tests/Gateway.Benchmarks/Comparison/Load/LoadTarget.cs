namespace Gateway.Benchmarks.Comparison.Load;

/// <summary>What is asked of a subject.</summary>
/// <param name="Name">As it stands in the report.</param>
/// <param name="Subject">Who is asked.</param>
/// <param name="Path">Path and query; <c>{n}</c> in it is another number in every request.</param>
/// <param name="Headers"><c>Name: value</c>.</param>
internal sealed record LoadTarget(string Name, Subject Subject, string Path, params IReadOnlyList<string> Headers);
