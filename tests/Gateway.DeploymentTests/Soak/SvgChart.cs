using System.Globalization;
using System.Security;
using System.Text;

namespace Gateway.DeploymentTests.Soak;

/// <summary>Lines over time as an SVG file of its own: a white ground, so that it can be read on any page.</summary>
internal sealed class SvgChart(string title, string unit, double seconds)
{
    private const int Width = 960;
    private const int Height = 350;
    private const int Left = 64;
    private const int Right = 16;
    private const int Top = 112;

    /// <summary>Where the first row of shades is, and how far the next.</summary>
    private const int Rows = 58;
    private const int Row = 7;
    private const int Bottom = 40;

    /// <summary>More points than a screen shows are brought together.</summary>
    private const int MostPoints = 300;

    private readonly List<(string Name, string Color, IReadOnlyList<(double Seconds, double Value)> Points, bool IsNew)> _lines = [];
    private readonly List<(string Name, string Color, IReadOnlyList<(double From, double To)> Spans)> _shades = [];

    public string Title => title;

    /// <summary>For values that differ by orders of magnitude.</summary>
    public bool IsLogarithmic { get; init; }

    /// <param name="name">In the legend.</param>
    /// <param name="color">A CSS colour.</param>
    /// <param name="points">In order of time. One that is not a number interrupts the line.</param>
    public SvgChart Line(string name, string color, IReadOnlyList<(double Seconds, double Value)> points)
    {
        _lines.Add((name, color, points, !_lines.Exists(line => line.Name == name)));
        return this;
    }

    /// <summary>When something was the matter. Shorter than a pixel is shown as one.</summary>
    public SvgChart Shade(string name, string color, IReadOnlyList<(double From, double To)> spans)
    {
        _shades.Add((name, color, spans));
        return this;
    }

    public override string ToString()
    {
        var values = _lines.SelectMany(line => line.Points).Select(point => point.Value).Where(double.IsFinite).ToList();
        var (low, high, ticks) = Scale(values.Count == 0 ? 1 : values.Max(), values.Where(value => value > 0).DefaultIfEmpty(1).Min());
        var svg = new StringBuilder();
        svg.Append(Inv($"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {Height}" font-family="system-ui, sans-serif" font-size="12" fill="#333">"""))
            .Append('\n')
            .Append(Inv($"""<rect width="{Width}" height="{Height}" fill="#fff"/><text x="{Left}" y="22" font-size="15" font-weight="600">{SecurityElement.Escape(title)}</text>"""))
            .Append('\n');
        Legend(svg);
        // A row of its own for each, since they overlap; and a breath of it over the whole height.
        foreach (var (row, (_, color, spans)) in _shades.Index())
        {
            svg.Append(Inv($"""<path fill="{color}" d="{Spans(spans, Rows + (row * Row), Row - 1)}"/><path fill="{color}" opacity=".14" d="{Spans(spans, Top, Height - Bottom - Top)}"/>""")).Append('\n');
        }

        foreach (var tick in ticks)
        {
            svg.Append(Inv($"""<path d="M{Left} {Y(tick):0.#}H{Width - Right}" stroke="#ccc" stroke-width=".6"/><text x="{Left - 6}" y="{Y(tick) + 4:0.#}" text-anchor="end">{tick:#,0.##}</text>""")).Append('\n');
        }

        var step = new[] { 5, 10, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600 }.First(one => seconds / one <= 12 || one == 3_600);
        for (var at = 0; at <= seconds; at += step)
        {
            svg.Append(Inv($"""<path d="M{X(at):0.#} {Height - Bottom}v5" stroke="#888"/><text x="{X(at):0.#}" y="{Height - Bottom + 18}" text-anchor="middle">{(step < 60 ? at : at / 60)}</text>""")).Append('\n');
        }

        svg.Append(Inv($"""<text x="{(Left + Width - Right) / 2}" y="{Height - 6}" text-anchor="middle">{(step < 60 ? "seconds" : "minutes")} since the start</text>"""))
            .Append(Inv($"""<text x="6" y="{Top - 8}">{SecurityElement.Escape(unit)}</text>""")).Append('\n');
        foreach (var (_, color, points, _) in _lines)
        {
            svg.Append(Inv($"""<path fill="none" stroke="{color}" stroke-width="1.4" stroke-linejoin="round" d="{Path(points)}"/>""")).Append('\n');
        }

        return svg.Append("</svg>\n").ToString();

        double X(double at) => Left + (Math.Clamp(at / Math.Max(1, seconds), 0, 1) * (Width - Left - Right));

        double Y(double value)
        {
            var share = IsLogarithmic ? Math.Log(Math.Max(value, low) / low) / Math.Log(high / low) : (value - low) / (high - low);
            return Height - Bottom - (Math.Clamp(share, 0, 1) * (Height - Top - Bottom));
        }

        string Spans(IReadOnlyList<(double From, double To)> spans, int top, int height) =>
            string.Concat(spans.Select(span => Inv($"M{X(span.From):0.#} {top}h{Math.Max(1, X(span.To) - X(span.From)):0.#}v{height}h-{Math.Max(1, X(span.To) - X(span.From)):0.#}z")));

        string Path(IReadOnlyList<(double Seconds, double Value)> points)
        {
            var path = new StringBuilder();
            var pen = 'M';
            foreach (var (at, value) in Fewer(points))
            {
                if (double.IsFinite(value))
                {
                    path.Append(Inv($"{pen}{X(at):0.#} {Y(value):0.#}"));
                    pen = 'L';
                }
                else
                {
                    pen = 'M';
                }
            }

            return path.ToString();
        }
    }

    /// <summary>What goes over the whole width in <see cref="MostPoints"/> points: the mean of those brought together.</summary>
    private List<(double Seconds, double Value)> Fewer(IReadOnlyList<(double Seconds, double Value)> points)
    {
        var wide = Math.Max(seconds / MostPoints, 0.5);
        return [.. points.GroupBy(point => (int)(point.Seconds / wide)).Select(group => (group.Average(point => point.Seconds), group.Average(point => point.Value)))];
    }

    private (double Low, double High, IReadOnlyList<double> Ticks) Scale(double most, double least)
    {
        if (IsLogarithmic)
        {
            var from = Math.Floor(Math.Log10(least));
            var decades = (int)Math.Max(1, Math.Ceiling(Math.Log10(most)) - from);
            return (Math.Pow(10, from), Math.Pow(10, from + decades), [.. Enumerable.Range(0, decades + 1).Select(decade => Math.Pow(10, from + decade))]);
        }

        var rough = Math.Max(most, 1) / 5;
        var magnitude = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        var step = new[] { 1, 2, 5, 10 }.First(one => one * magnitude >= rough) * magnitude;
        var count = (int)Math.Ceiling(Math.Max(most, 1) / step);
        return (0, count * step, [.. Enumerable.Range(0, count + 1).Select(one => one * step)]);
    }

    private void Legend(StringBuilder svg)
    {
        var x = (double)Left;
        foreach (var (name, color, isShade) in _lines.Where(line => line.IsNew).Select(line => (line.Name, line.Color, false)).Concat(_shades.Select(shade => (shade.Name, shade.Color, true))))
        {
            svg.Append(isShade
                    ? Inv($"""<rect x="{x:0}" y="33" width="14" height="12" fill="{color}" stroke="#bbb" stroke-width=".5"/>""")
                    : Inv($"""<path d="M{x:0} 39h14" stroke="{color}" stroke-width="2.5"/>"""))
                .Append(Inv($"""<text x="{x + 19:0}" y="43">{SecurityElement.Escape(name)}</text>""")).Append('\n');
            x += 32 + (name.Length * 6.5);
        }
    }

    private static string Inv(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
