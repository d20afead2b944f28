using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.RegularExpressions;
using Gateway.Upstreams.Billing;

namespace Gateway.Catalog;

/// <summary><c>Catalog:SkuTemplate</c>, parsed.</summary>
internal sealed partial class SkuTemplate
{
    private readonly IReadOnlyList<(string Text, Func<BillingComponent, string?>? Value)> _parts;

    private SkuTemplate(IReadOnlyList<(string Text, Func<BillingComponent, string?>? Value)> parts) => _parts = parts;

    public static bool TryParse(string text, [NotNullWhen(true)] out SkuTemplate? template)
    {
        var parts = new List<(string Text, Func<BillingComponent, string?>? Value)>();
        foreach (var piece in Pieces().Split(text))
        {
            Func<BillingComponent, string?>? value = piece switch
            {
                "{id}" => component => component.Id,
                "{productId}" => component => component.ProductId,
                "{groupId}" => component => component.GroupId,
                _ => null,
            };
            if (value is null && piece.AsSpan().ContainsAny('{', '}'))
            {
                template = null;
                return false;
            }

            parts.Add((piece, value));
        }

        template = parts.Exists(part => part.Value is not null) ? new SkuTemplate(parts) : null;
        return template is not null;
    }

    /// <summary>Null if the component lacks a field that the template names.</summary>
    public string? Apply(BillingComponent component)
    {
        var sku = new StringBuilder();
        foreach (var (text, value) in _parts)
        {
            if (value is null)
            {
                sku.Append(text);
            }
            else if (value(component) is { Length: > 0 } field)
            {
                sku.Append(field);
            }
            else
            {
                return null;
            }
        }

        return sku.ToString();
    }

    [GeneratedRegex(@"(?<field>\{[^{}]*\})", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Pieces();
}
