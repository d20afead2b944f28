using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Simulator.Requests;

/// <summary>The request line's target as it was sent, and how it may be shown.</summary>
internal static class RequestTarget
{
    private static readonly HashSet<string> Secret =
        new(["key", "sign", "client_secret", "access_token", "token"], StringComparer.OrdinalIgnoreCase);

    public static string Raw(HttpRequest request) =>
        request.HttpContext.Features.Get<IHttpRequestFeature>() is { RawTarget.Length: > 0 } feature
            ? feature.RawTarget
            : request.Path.ToUriComponent() + request.QueryString.ToUriComponent();

    public static (string Path, string Query) Split(HttpRequest request)
    {
        var raw = Raw(request);
        var mark = raw.IndexOf('?', StringComparison.Ordinal);
        return mark < 0 ? (raw, "") : (raw[..mark], raw[(mark + 1)..]);
    }

    /// <summary>For the log: the values of what is secret, or could be, are masked, however their names are written.</summary>
    public static string Redacted(string path, string query)
    {
        if (query.Length == 0)
        {
            return path;
        }

        var parts = query.Split('&').Select(part =>
        {
            var name = part.Split('=')[0];
            return Secret.Contains(Uri.UnescapeDataString(name)) ? $"{name}=***" : part;
        });
        return $"{path}?{string.Join('&', parts)}";
    }
}
