using System.Net;
using System.Text;

namespace Gateway.Benchmarks.Comparison.Report;

/// <summary>Draws a chart as a picture that stands on its own, on a background of its own.</summary>
internal static class SvgChart
{
    private const int Width = 760;
    private const int RowHeight = 34;
    private const int Left = 230;
    private const int Right = 110;
    private const int Top = 76;

    public static string Draw(Chart chart)
    {
        var height = Top + (chart.Values.Count * RowHeight) + 20;
        var largest = Math.Max(1e-9, chart.Values.Max(value => value.Value));
        var svg = new StringBuilder();
        svg.Append(Invariant($"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {height}\" width=\"{Width}\" height=\"{height}\" font-family=\"system-ui, Segoe UI, Helvetica, Arial, sans-serif\" role=\"img\" aria-label=\"{Text(chart.Title)}\">\n"));
        svg.Append("<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#ffffff\" stroke=\"#d0d7de\"/>\n");
        svg.Append(Invariant($"<text x=\"20\" y=\"32\" font-size=\"18\" font-weight=\"600\" fill=\"#1f2328\">{Text(chart.Title)}</text>\n"));
        svg.Append(Invariant($"<text x=\"20\" y=\"54\" font-size=\"13\" fill=\"#59636e\">{Text(chart.Unit)}</text>\n"));
        for (var row = 0; row < chart.Values.Count; row++)
        {
            var value = chart.Values[row];
            var (y, length) = (Top + (row * RowHeight), Math.Max(1, value.Value / largest * (Width - Left - Right)));
            svg.Append(Invariant($"<text x=\"{Left - 12}\" y=\"{y + 17}\" font-size=\"13\" text-anchor=\"end\" fill=\"#1f2328\"{(value.IsGateway ? " font-weight=\"600\"" : string.Empty)}>{Text(value.Label)}</text>\n"));
            svg.Append(Invariant($"<rect x=\"{Left}\" y=\"{y}\" width=\"{length:0.0}\" height=\"24\" rx=\"3\" fill=\"{(value.IsGateway ? "#0969da" : "#afb8c1")}\"/>\n"));
            svg.Append(Invariant($"<text x=\"{Left + length + 8:0.0}\" y=\"{y + 17}\" font-size=\"13\" fill=\"#1f2328\">{Figure(value.Value)}</text>\n"));
        }

        return svg.Append("</svg>\n").ToString();
    }

    /// <summary>Three digits that mean something.</summary>
    private static string Figure(double value) => value >= 100 ? Invariant($"{value:#,0}") : value >= 10 ? Invariant($"{value:0.0}") : Invariant($"{value:0.00}");

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
