namespace Gateway.Tests.Fuzzing;

/// <summary>A query read by hand: what the server's own reading is held against.</summary>
internal static class NaiveQuery
{
    /// <summary>Names and values in order, decoded. Empty pieces are no parameters.</summary>
    public static List<KeyValuePair<string, string>> Parse(string query)
    {
        var pairs = new List<KeyValuePair<string, string>>();
        foreach (var piece in query.Split('&'))
        {
            if (piece.Length > 0)
            {
                var equals = piece.IndexOf('=', StringComparison.Ordinal);
                pairs.Add(new(Decode(equals < 0 ? piece : piece[..equals]), equals < 0 ? string.Empty : Decode(piece[(equals + 1)..])));
            }
        }

        return pairs;
    }

    /// <summary>The values of a name; the server does not tell the case of names apart.</summary>
    public static string[] Values(this IEnumerable<KeyValuePair<string, string>> query, string name) =>
        [.. query.Where(pair => pair.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(pair => pair.Value)];

    private static string Decode(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));
}
