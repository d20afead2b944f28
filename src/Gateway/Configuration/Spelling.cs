namespace Gateway.Configuration;

/// <summary>What was most likely meant by a name that nobody knows.</summary>
internal static class Spelling
{
    /// <summary>Wrong, missing, surplus or swapped letters in a name of at least six; one in a shorter one. More is another word.</summary>
    private const int MostMistakes = 2;

    /// <summary>The known name that is spelt most alike, in whatever case; null if none is near.</summary>
    public static string? Nearest(string name, IEnumerable<string> known) => known
        .Where(candidate => Math.Abs(candidate.Length - name.Length) <= MostMistakes)
        .Select(candidate => (Name: candidate, Mistakes: Distance(name.ToUpperInvariant(), candidate.ToUpperInvariant())))
        .Where(candidate => candidate.Mistakes <= Math.Min(MostMistakes, candidate.Name.Length / 3))
        .OrderBy(candidate => candidate.Mistakes).ThenBy(candidate => candidate.Name, StringComparer.Ordinal)
        .Select(candidate => candidate.Name)
        .FirstOrDefault();

    /// <summary>For the end of a sentence: what to write instead, or nothing.</summary>
    public static string Hint(string? nearest) => nearest is null ? string.Empty : $"; did you mean {nearest}?";

    /// <summary>Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours.</summary>
    private static int Distance(string a, string b)
    {
        var (before, last, row) = (new int[b.Length + 1], Enumerable.Range(0, b.Length + 1).ToArray(), new int[b.Length + 1]);
        for (var i = 1; i <= a.Length; i++)
        {
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                row[j] = Math.Min(Math.Min(last[j], row[j - 1]) + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    row[j] = Math.Min(row[j], before[j - 2] + 1);
                }
            }

            (before, last, row) = (last, row, before);
        }

        return last[b.Length];
    }
}
