using System.Globalization;
using System.Runtime.InteropServices;

namespace Gateway.FunctionalTests.Matrix;

/// <summary>How many calls an upstream receives: exactly so many, or from so many to so many.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Calls(int Least, int Most)
{
    public static implicit operator Calls(int exactly) => new(exactly, exactly);

    public bool Allow(int calls) => calls >= Least && calls <= Most;

    public override string ToString() => Least == Most
        ? Least.ToString(CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{Least}–{Most}");
}
