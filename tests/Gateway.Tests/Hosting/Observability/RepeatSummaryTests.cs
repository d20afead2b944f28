using System.Collections.Concurrent;
using System.Globalization;
using Gateway.Hosting.Observability;
using Gateway.Tests.Telemetry;
using Serilog.Core;
using Serilog.Events;
using Serilog.Parsing;

namespace Gateway.Tests.Hosting.Observability;

public sealed class RepeatSummaryTests : IDisposable
{
    private const int Through = RepeatSummary.LinesPerWindow;

    private readonly ManualTimeProvider _time = new();
    private readonly Lines _lines = new();
    private readonly RepeatSummary _summary;

    public RepeatSummaryTests() => _summary = new RepeatSummary(_lines, _time);

    public void Dispose() => _summary.Dispose();

    [Fact]
    public void The_first_lines_of_a_kind_go_through_and_the_rest_is_counted()
    {
        Emit(12, "Billing answered {StatusCode}", ("StatusCode", 503));

        Assert.Equal(Through, _lines.Count);
        Assert.All(_lines.Texts, text => Assert.Equal("Billing answered 503", text));
    }

    [Fact]
    public void When_the_window_is_over_one_line_says_how_many_there_were()
    {
        using var metrics = new MetricRecorder();
        Emit(12, "Billing answered {StatusCode}", ("StatusCode", 503));
        _time.Advance(RepeatSummary.Window);
        _time.Advance(RepeatSummary.Window);

        Assert.Equal(Through + 1, _lines.Count);
        var line = _lines.Last;
        Assert.Equal("7 more lines like this within 10 s: Billing answered 503", line.RenderMessage(CultureInfo.InvariantCulture));
        Assert.Equal((LogEventLevel.Warning, _time.GetUtcNow() - RepeatSummary.Window), (line.Level, line.Timestamp));
        Assert.Equal("A.Source", ((ScalarValue)line.Properties[Constants.SourceContextPropertyName]).Value);
        Assert.Equal(7, metrics.Of("gateway.log.summed_up").Sum());
    }

    [Fact]
    public void The_summary_shows_the_last_of_them_and_its_level()
    {
        Emit(Through, "Product {Id}", ("Id", "first"));
        Emit(1, "Product {Id}", ("Id", "last"), LogEventLevel.Error);
        _time.Advance(RepeatSummary.Window);

        Assert.Equal("1 more lines like this within 10 s: Product last", _lines.Texts[^1]);
        Assert.Equal(LogEventLevel.Error, _lines.Last.Level);
    }

    [Fact]
    public void Few_lines_need_no_summary()
    {
        Emit(Through, "Billing answered {StatusCode}", ("StatusCode", 503));
        _time.Advance(RepeatSummary.Window);

        Assert.Equal(Through, _lines.Count);
    }

    [Fact]
    public void After_the_window_the_first_lines_go_through_again()
    {
        Emit(Through + 1, "again", null);
        _time.Advance(RepeatSummary.Window);
        Emit(Through + 2, "again", null);
        Assert.Equal((2 * Through) + 1, _lines.Count);

        _time.Advance(RepeatSummary.Window);
        Assert.Equal("2 more lines like this within 10 s: again", _lines.Texts[^1]);
    }

    [Fact]
    public void Kinds_are_counted_apart_by_template_source_and_upstream()
    {
        Emit(Through + 1, "one", null);
        Emit(Through + 2, "two", null);
        Emit(Through + 3, "one", null, source: "Another.Source");
        Emit(Through + 4, "{Upstream} gave no answer", ("Upstream", "Billing"));
        Emit(1, "{Upstream} gave no answer", ("Upstream", "Paymentwall"));

        Assert.Equal((4 * Through) + 1, _lines.Count);
        Assert.Equal("Paymentwall gave no answer", _lines.Texts[^1]);
        _time.Advance(RepeatSummary.Window);
        Assert.Equal(
            [
                "1 more lines like this within 10 s: one", "2 more lines like this within 10 s: two", "3 more lines like this within 10 s: one",
                "4 more lines like this within 10 s: Billing gave no answer",
            ],
            _lines.Texts.Skip((4 * Through) + 1).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(LogEventLevel.Verbose)]
    [InlineData(LogEventLevel.Information)]
    public void What_is_no_warning_always_goes_through(LogEventLevel level)
    {
        Emit(100, "request", null, level);
        _time.Advance(RepeatSummary.Window);

        Assert.Equal(100, _lines.Count);
    }

    [Fact]
    public void At_the_end_what_is_still_to_be_said_is_said_and_the_sink_below_is_ended()
    {
        Emit(Through + 3, "Stopping", null);
        _time.Advance(TimeSpan.FromSeconds(2));

        _summary.Dispose();

        Assert.Equal("3 more lines like this within 2 s: Stopping", _lines.Texts[^1]);
        Assert.True(_lines.IsDisposed);
        Assert.Equal(0, _time.PendingTimers);
    }

    [Fact]
    public void A_library_that_makes_a_template_of_every_message_is_written_and_not_remembered_without_end()
    {
        for (var number = 0; number < RepeatSummary.MostKinds + 100; number++)
        {
            Emit(1, $"interpolated {number}", null);
        }

        Assert.Equal(RepeatSummary.MostKinds + 100, _lines.Count);
        Assert.Equal(RepeatSummary.MostKinds, _summary.Kinds);
        _time.Advance(RepeatSummary.Window);
        Assert.Equal(0, _summary.Kinds);
    }

    [Fact]
    public async Task However_many_write_at_once_every_line_is_written_or_counted()
    {
        const int Writers = 8;
        const int Each = 5_000;
        await Parallel.ForEachAsync(Enumerable.Range(0, Writers), TestContext.Current.CancellationToken, (_, _) =>
        {
            for (var number = 0; number < Each; number++)
            {
                Emit(1, "burst", null);
                if (number % 500 == 0)
                {
                    _time.Advance(RepeatSummary.Window / 4);
                }
            }

            return ValueTask.CompletedTask;
        });
        _summary.Dispose();

        var written = _lines.Texts.Count(text => text == "burst");
        var counted = _lines.Events.Where(line => line.Properties.ContainsKey("Count")).Sum(line => (int)((ScalarValue)line.Properties["Count"]).Value!);
        Assert.Equal(Writers * Each, written + counted);
        Assert.True(written < 1_000, $"{written} lines");
    }

    private void Emit(int times, string template, (string Name, object Value)? property, LogEventLevel level = LogEventLevel.Warning, string source = "A.Source")
    {
        for (var time = 0; time < times; time++)
        {
            var properties = new List<LogEventProperty> { new(Constants.SourceContextPropertyName, new ScalarValue(source)) };
            if (property is var (name, value))
            {
                properties.Add(new LogEventProperty(name, new ScalarValue(value)));
            }

            _summary.Emit(new LogEvent(_time.GetUtcNow(), level, exception: null, new MessageTemplateParser().Parse(template), properties));
        }
    }

    private sealed class Lines : ILogEventSink, IDisposable
    {
        private readonly ConcurrentQueue<LogEvent> _events = new();

        public IReadOnlyList<LogEvent> Events => [.. _events];

        public int Count => _events.Count;

        public LogEvent Last => Events[^1];

        public IReadOnlyList<string> Texts => [.. _events.Select(line => line.RenderMessage(CultureInfo.InvariantCulture).Replace("\"", string.Empty, StringComparison.Ordinal))];

        public bool IsDisposed { get; private set; }

        public void Emit(LogEvent logEvent) => _events.Enqueue(logEvent);

        public void Dispose() => IsDisposed = true;
    }
}
