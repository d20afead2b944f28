using System.Globalization;

namespace Gateway.Benchmarks.Subjects;

/// <summary>Arguments of the form <c>--name value</c>.</summary>
internal sealed class Arguments(IReadOnlyList<string> arguments)
{
    public string? Find(string name)
    {
        for (var index = 0; index + 1 < arguments.Count; index++)
        {
            if (arguments[index] == "--" + name)
            {
                return arguments[index + 1];
            }
        }

        return null;
    }

    public string Text(string name) => Find(name) ?? throw new InvalidOperationException($"--{name} is missing.");

    public int Number(string name, int? fallback = null) => Find(name) is not { } text
        ? fallback ?? throw new InvalidOperationException($"--{name} is missing.")
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : throw new InvalidOperationException($"--{name} needs a number, not {text}.");
}
