using Gateway.Benchmarks.Subjects;

namespace Gateway.Benchmarks.Comparison;

/// <summary>What <c>./dev bench</c> asks for.</summary>
internal sealed class CompareOptions
{
    private static readonly string[] Names = ["--gateway", "--subjects", "--simulator", "--output", "--commit", "--rounds", "--seconds"];

    private CompareOptions(Arguments arguments, IReadOnlyList<string> scenarios)
    {
        Rounds = arguments.Number("rounds", 5);
        Seconds = arguments.Number("seconds", 5);
        Gateway = Path.GetFullPath(arguments.Text("gateway"));
        Subjects = Path.GetFullPath(arguments.Text("subjects"));
        Simulator = Path.GetFullPath(arguments.Text("simulator"));
        Output = Path.GetFullPath(arguments.Text("output"));
        Commit = arguments.Find("commit") ?? "unknown";
        Scenarios = scenarios;
    }

    /// <summary>How often each subject has its turn.</summary>
    public int Rounds { get; }

    /// <summary>How long a turn lasts.</summary>
    public int Seconds { get; }

    /// <summary>The gateway, published as in the image.</summary>
    public string Gateway { get; }

    /// <summary>This program, published as the gateway is.</summary>
    public string Subjects { get; }

    public string Simulator { get; }

    /// <summary>The folder for what is written.</summary>
    public string Output { get; }

    public string Commit { get; }

    /// <summary>Names of scenarios; none means all.</summary>
    public IReadOnlyList<string> Scenarios { get; }

    /// <summary><c>compare [scenario…] --gateway DLL --subjects DLL --simulator DLL --output FOLDER [--commit ID] [--rounds N] [--seconds N]</c>.</summary>
    public static CompareOptions Parse(string[] args)
    {
        var scenarios = new List<string>();
        for (var index = 1; index < args.Length; index++)
        {
            if (Names.Contains(args[index], StringComparer.Ordinal))
            {
                index++;
            }
            else if (args[index].StartsWith('-'))
            {
                throw new InvalidOperationException($"There is no option {args[index]}; there are --rounds N and --seconds N.");
            }
            else
            {
                scenarios.Add(args[index]);
            }
        }

        return new CompareOptions(new Arguments(args), scenarios);
    }
}
