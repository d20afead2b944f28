using System.Globalization;
using System.Reflection;

namespace Gateway.Tests.Fuzzing;

/// <summary>
/// One target, fuzzed: its seeds as they are, then what the mutator makes of them. In the normal run 100,000 cases with a fixed seed;
/// <c>./dev fuzz MINUTES</c> shares the time among the targets and takes another seed each time. A case that breaks a promise is cut down,
/// written to <c>artifacts/fuzz</c> and shown as the line to add to the target's seeds.
/// </summary>
internal sealed class FuzzRun
{
    /// <summary>Marks the tests that <c>./dev fuzz</c> runs: <c>[Trait(FuzzRun.Trait, FuzzRun.Target)]</c>.</summary>
    public const string Trait = "Fuzz";

    public const string Target = "target";

    private const int Cases = 100_000;

    /// <summary>Far beyond what a case takes, so that only what does not end is found slow.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    private readonly string _target;
    private readonly bool _bytes;
    private readonly string[] _dictionary;
    private readonly Func<string, ValueTask<bool>> _check;

    private FuzzRun(string target, bool bytes, string[] dictionary, Func<string, ValueTask<bool>> check)
    {
        _target = target;
        _bytes = bytes;
        _dictionary = dictionary;
        _check = check;
    }

    /// <param name="target">Names the file of seeds.</param>
    /// <param name="dictionary">Pieces of the grammar.</param>
    /// <param name="check">Throws where a promise is broken; else says whether the input was accepted.</param>
    public static Task OfTextAsync(string target, string[] dictionary, Func<string, ValueTask<bool>> check) =>
        new FuzzRun(target, bytes: false, dictionary, check).RunAsync();

    public static Task OfTextAsync(string target, string[] dictionary, Func<string, bool> check) =>
        OfTextAsync(target, dictionary, text => ValueTask.FromResult(check(text)));

    public static Task OfBytesAsync(string target, string[] dictionary, Func<byte[], bool> check) =>
        new FuzzRun(target, bytes: true, dictionary, text => ValueTask.FromResult(check(FuzzText.Bytes(text)))).RunAsync();

    private async Task RunAsync()
    {
        var budget = Budget();
        var seed = Seed(budget);
        var random = new Random(unchecked((seed * 397) ^ _target.Aggregate(17, (hash, c) => (hash * 31) + c)));
        var mutator = new FuzzMutator(random, _dictionary, _bytes);
        var corpus = Seeds(_target).ToList();
        var kept = corpus.Count;
        var (cases, accepted) = (0L, 0L);
        var started = TimeProvider.System.GetTimestamp();
        foreach (var text in corpus.ToArray())
        {
            await TryAsync(text);
        }

        while (budget is { } time ? TimeProvider.System.GetElapsedTime(started) < time : cases < Cases)
        {
            var text = mutator.Mutate(corpus[random.Next(corpus.Count)], corpus[random.Next(corpus.Count)]);
            if (await TryAsync(text) && random.Next(16) == 0 && text.Length <= 1_024)
            {
                // What was accepted leads further than the seeds do.
                if (corpus.Count < kept + 200)
                {
                    corpus.Add(text);
                }
                else
                {
                    corpus[kept + random.Next(200)] = text;
                }
            }
        }

        var seconds = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"fuzz {_target}: {cases:N0} cases in {seconds:0.0} s, seed {seed}, {kept} seeds kept, {accepted:N0} accepted"));

        // A fuzzer that only ever sees one side of its target tests nothing.
        Assert.InRange(accepted, cases / 200, cases - (cases / 200));

        async Task<bool> TryAsync(string text)
        {
            cases++;
            var began = TimeProvider.System.GetTimestamp();
            bool wasAccepted;
            try
            {
                wasAccepted = await _check(text);
            }
#pragma warning disable CA1031 // Whatever it is, it is what is looked for.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                throw await FailureAsync(text, exception, seed, cases);
            }

            if (TimeProvider.System.GetElapsedTime(began) > Longest)
            {
                throw await FailureAsync(text, new TimeoutException("It took too long."), seed, cases);
            }

            accepted += wasAccepted ? 1 : 0;
            return wasAccepted;
        }
    }

    private async Task<Exception> FailureAsync(string text, Exception exception, int seed, long cases)
    {
        (text, exception) = await CutDownAsync(text, exception);
        var literal = FuzzText.Escape(text);
        var folder = Path.Combine(Folder("artifacts"), "fuzz");
        Directory.CreateDirectory(folder);
        var file = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{_target}-{seed}-{cases}.txt"));
        await File.WriteAllTextAsync(file, literal + "\n");
        return new InvalidOperationException(
            string.Create(CultureInfo.InvariantCulture, $"fuzz {_target}, seed {seed}, case {cases}: {exception.Message}\nAdd to Fuzzing/Seeds/{_target}.txt (also in {file}):\n{literal}\n"), exception);
    }

    /// <summary>Leaves out pieces for as long as what is left still fails in the same way.</summary>
    private async Task<(string Text, Exception Exception)> CutDownAsync(string text, Exception exception)
    {
        if (exception is TimeoutException)
        {
            return (text, exception);
        }

        var attempts = 0;
        for (var piece = Math.Max(1, text.Length / 2); piece > 0; piece /= 2)
        {
            for (var at = 0; at + piece <= text.Length && attempts < 3_000;)
            {
                attempts++;
                var shorter = text.Remove(at, piece);
                try
                {
                    await _check(shorter);
                    at += piece;
                }
#pragma warning disable CA1031 // As above.
                catch (Exception same) when (same.GetType() == exception.GetType())
#pragma warning restore CA1031
                {
                    (text, exception) = (shorter, same);
                }
                catch (Exception)
                {
                    at += piece;
                }
            }
        }

        return (text, exception);
    }

    private static TimeSpan? Budget() =>
        double.TryParse(Environment.GetEnvironmentVariable("GATEWAY_FUZZ_MINUTES"), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var minutes)
            ? TimeSpan.FromMinutes(minutes / Targets())
            : null;

    private static int Seed(TimeSpan? budget) =>
        int.TryParse(Environment.GetEnvironmentVariable("GATEWAY_FUZZ_SEED"), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seed) ? seed
        : budget is null ? 1
        : Random.Shared.Next();

    private static int Targets() => typeof(FuzzRun).Assembly.GetTypes()
        .SelectMany(type => type.GetMethods(BindingFlags.Instance | BindingFlags.Public))
        .Count(method => method.GetCustomAttributes<TraitAttribute>().Any(trait => trait.Name == Trait));

    /// <summary>One a line; a line that begins with <c>#</c> says what the next one once broke.</summary>
    private static IEnumerable<string> Seeds(string target) =>
        File.ReadLines(Path.Combine(Folder("tests"), "Gateway.Tests", "Fuzzing", "Seeds", target + ".txt"))
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(FuzzText.Unescape);

    private static string Folder(string name)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Gateway.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("Gateway.sln is not above the tests.");
        }

        return Path.Combine(folder.FullName, name);
    }
}
