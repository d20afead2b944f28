using System.Buffers;

namespace Gateway.Catalog;

/// <summary>What a Billing product id may look like, so that it is safe as a path segment.</summary>
internal static class ProductId
{
    public const string Allowed = "1 to 128 letters, digits, '.', '_' or '-', but not '.' or '..'";

    private static readonly SearchValues<char> Characters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    public static bool IsValid(string text) =>
        text is { Length: >= 1 and <= 128 } and not "." and not ".." && !text.AsSpan().ContainsAnyExcept(Characters);
}
