using System.Net;

namespace Gateway.FunctionalTests.Stack;

/// <summary>A request as an upstream received it.</summary>
internal sealed record ReceivedRequest(string Method, string Path, string RawQuery, Dictionary<string, string[]> Headers, bool Aborted)
{
    public string? Header(string name) =>
        Headers.FirstOrDefault(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value?.Single();

    public string? Query(string name) => RawQuery.Split('&')
        .Select(pair => pair.Split('=', 2))
        .Where(pair => pair[0] == name)
        .Select(pair => WebUtility.UrlDecode(pair[1]))
        .SingleOrDefault();
}
