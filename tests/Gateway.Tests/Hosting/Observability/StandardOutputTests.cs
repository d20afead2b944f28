using System.Globalization;
using System.Text;
using Gateway.Hosting.Observability;
using Serilog;
using Serilog.Events;
using Serilog.Formatting;
using Serilog.Formatting.Display;

namespace Gateway.Tests.Hosting.Observability;

public sealed class StandardOutputTests
{
    private static readonly ITextFormatter Format = new MessageTemplateTextFormatter("{Message:lj}{NewLine}", CultureInfo.InvariantCulture);

    [Fact]
    public void Lines_of_many_threads_are_whole_and_each_threads_in_order()
    {
        using var stream = new Recorded();
        using (var log = Over(stream))
        {
            Parallel.For(0, 8, thread =>
            {
                for (var line = 0; line < 2_000; line++)
                {
                    log.Information("{Thread} {Line} ü", thread, line);
                }
            });
        }

        var seen = stream.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.TrimEnd().Split(' ')).ToList();
        Assert.Equal(16_000, seen.Count);
        Assert.All(seen, words => Assert.Equal("ü", words[2]));
        foreach (var thread in seen.GroupBy(words => words[0], StringComparer.Ordinal))
        {
            Assert.Equal(Enumerable.Range(0, 2_000).Select(line => line.ToString(CultureInfo.InvariantCulture)), thread.Select(words => words[1]));
        }

        Assert.InRange(stream.Writes, 1, 15_999);
    }

    [Fact]
    public async Task A_line_comes_without_another()
    {
        using var stream = new Recorded();
        using var log = Over(stream);

        log.Information("alone");
        await Quiet.UntilAsync(() => stream.Text.Contains("alone", StringComparison.Ordinal));
        log.Information("alone again");
        await Quiet.UntilAsync(() => stream.Text.Contains("again", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(LogEventLevel.Warning)]
    [InlineData(LogEventLevel.Fatal)]
    public void What_is_urgent_is_written_at_once_with_what_came_before(LogEventLevel level)
    {
        using var stream = new Recorded();
        using var log = Over(stream);

        log.Information("first");
        log.Write(level, "second");

        Assert.Equal(["first", "second"], stream.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.TrimEnd()));
    }

    [Fact]
    public void A_line_that_is_very_long_is_whole_and_so_is_the_next()
    {
        using var stream = new Recorded();
        using (var log = Over(stream))
        {
            log.Information("{Long:l}", new string('x', 3_000_000));
            log.Information("next");
        }

        Assert.Equal(new string('x', 3_000_000) + Environment.NewLine + "next" + Environment.NewLine, stream.Text);
    }

    [Fact]
    public void A_reader_that_has_gone_stops_nobody()
    {
        using var stream = new Recorded { IsBroken = true };
        using var log = Over(stream);

        log.Warning("to nobody");

        Assert.Equal(1, stream.Writes);
    }

    private static Serilog.Core.Logger Over(Stream stream) => new LoggerConfiguration().WriteTo.Sink(new StandardOutput(Format, stream)).CreateLogger();

    private sealed class Recorded : MemoryStream
    {
        private readonly Lock _gate = new();

        public bool IsBroken { get; init; }

        public int Writes { get; private set; }

        public string Text
        {
            get
            {
                lock (_gate)
                {
                    return Encoding.UTF8.GetString(ToArray());
                }
            }
        }

        public override void Write(byte[] buffer, int offset, int count)
        {
            lock (_gate)
            {
                Writes++;
                if (IsBroken)
                {
                    throw new IOException("Broken pipe.");
                }

                base.Write(buffer, offset, count);
            }
        }
    }
}
