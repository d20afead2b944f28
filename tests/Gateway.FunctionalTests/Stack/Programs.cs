namespace Gateway.FunctionalTests.Stack;

/// <summary>Where the programs under test were built.</summary>
internal static class Programs
{
    private static readonly string Configuration =
        new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar)).Parent!.Name;

    public static string Root { get; } = FindRoot();

    public static string Gateway { get; } = Built("Gateway");

    public static string Simulator { get; } = Built("Gateway.Simulator");

    /// <summary>Not built with every test project: only where it is referred to.</summary>
    public static string Benchmarks { get; } = Built("Gateway.Benchmarks", "tests");

    private static string Built(string project, string folder = "src") =>
        Path.Combine(Root, folder, project, "bin", Configuration, "net10.0", project + ".dll");

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Gateway.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("Gateway.sln is not above the tests.");
        }

        return folder.FullName;
    }
}
