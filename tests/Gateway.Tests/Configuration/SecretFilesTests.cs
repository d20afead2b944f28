using System.Runtime.InteropServices;
using System.Text;
using Gateway.Configuration;
using Microsoft.Extensions.Configuration;

namespace Gateway.Tests.Configuration;

public sealed partial class SecretFilesTests : IDisposable
{
    /// <summary>Of no meaning to the gateway; in the environment of this process for a moment.</summary>
    private const string Prefix = "SecretFilesTests";

    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-secret-files-").FullName;
    private readonly List<string> _variables = [];

    public void Dispose()
    {
        _variables.ForEach(name => Environment.SetEnvironmentVariable(name, value: null));
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void A_file_is_a_value_named_as_in_the_environment()
    {
        Write($"{Prefix}__Section__Name", "value");
        Write($"{Prefix}__List__0__Name", "first");

        using var configuration = Read();

        Assert.Equal("value", configuration[$"{Prefix}:Section:Name"]);
        Assert.Equal("value", configuration[$"{Prefix.ToUpperInvariant()}:section:NAME"]);
        Assert.Equal("first", configuration[$"{Prefix}:List:0:Name"]);
    }

    [Fact]
    public void Files_go_over_settings_and_under_the_environment_and_the_command_line()
    {
        foreach (var name in new[] { "A", "B", "C", "D" })
        {
            Write($"{Prefix}__{name}", "file");
        }

        SetVariable($"{Prefix}__C", "environment");
        SetVariable($"{Prefix}__D", "environment");
        using var configuration = Read(
            settings: [($"{Prefix}:A", "settings"), ($"{Prefix}:C", "settings"), ($"{Prefix}:E", "settings")], arguments: [$"--{Prefix}:D=argument"]);

        Assert.Equal("file", configuration[$"{Prefix}:A"]);
        Assert.Equal("file", configuration[$"{Prefix}:B"]);
        Assert.Equal("environment", configuration[$"{Prefix}:C"]);
        Assert.Equal("argument", configuration[$"{Prefix}:D"]);
        Assert.Equal("settings", configuration[$"{Prefix}:E"]);
    }

    [Theory]
    [InlineData("secret", "secret")]
    [InlineData("secret\n", "secret")]
    [InlineData("secret\r\n", "secret")]
    [InlineData("secret\n\n", "secret")]
    [InlineData("secret\r\n\r\n", "secret")]
    [InlineData("\uFEFFsecret\n", "secret")]
    [InlineData(" sec ret ", " sec ret ")]
    [InlineData("two\nlines\n", "two\nlines")]
    [InlineData("a=b;c", "a=b;c")]
    [InlineData("", "")]
    public void The_line_ends_that_editors_add_are_not_part_of_it(string content, string value)
    {
        Write($"{Prefix}__Name", content);

        using var configuration = Read();

        Assert.Equal(value, configuration[$"{Prefix}:Name"]);
    }

    /// <summary>As PowerShell writes it: with a byte order mark it can be read, and without one it is no text.</summary>
    [Theory]
    [InlineData(true, "secret")]
    [InlineData(false, null)]
    public void UTF_16_is_read_where_it_says_so_and_else_is_a_defect(bool hasMark, string? expected)
    {
        File.WriteAllText(Path.Combine(_folder, $"{Prefix}__Name"), "secret\r\n", new UnicodeEncoding(bigEndian: false, byteOrderMark: hasMark));

        using var configuration = Read();

        var value = configuration[$"{Prefix}:Name"];
        Assert.Equal(expected is null, VerbatimAttribute.Defect(value) is not null);
        Assert.Equal(expected, expected is null ? null : value);
    }

    [Fact]
    public void A_folder_that_is_named_and_absent_is_said()
    {
        var exception = Assert.Throws<InvalidOperationException>(() => Read(folder: Path.Combine(_folder, "absent")));

        Assert.StartsWith("Hosting:SecretsFolder: there is no folder ", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Folders_hidden_files_and_rubbish_in_it_do_no_harm()
    {
        Write($"{Prefix}__Name", "value");
        Write($".{Prefix}__Hidden", "hidden");
        Directory.CreateDirectory(Path.Combine(_folder, $"{Prefix}__Folder"));
        File.WriteAllBytes(Path.Combine(_folder, $"{Prefix}__Rubbish"), [0, 255, 254, 10, 13, 0]);

        using var configuration = Read();

        Assert.Equal("value", configuration[$"{Prefix}:Name"]);
        Assert.Null(configuration[$".{Prefix}:Hidden"]);
        Assert.Null(configuration[$"{Prefix}:Folder"]);
    }

    /// <summary>Kubernetes: <c>name -> ..data/name</c>, <c>..data -> ..2025_01_02</c>; an update replaces the second link.</summary>
    [Fact]
    public async Task Links_as_kubernetes_makes_them_are_followed_also_to_the_next_version()
    {
        Mount("..2025_01_01", "first");
        File.CreateSymbolicLink(Path.Combine(_folder, $"{Prefix}__Name"), Path.Combine("..data", $"{Prefix}__Name"));
        using var configuration = Read();
        Assert.Equal("first", configuration[$"{Prefix}:Name"]);
        var reloaded = new TaskCompletionSource();
        using var registration = ((IConfiguration)configuration).GetReloadToken().RegisterChangeCallback(_ => reloaded.TrySetResult(), state: null);

        Mount("..2025_01_02", "second");
        await reloaded.Task.WaitAsync(TimeSpan.FromSeconds(15), TimeProvider.System, TestContext.Current.CancellationToken);

        Assert.Equal("second", configuration[$"{Prefix}:Name"]);
        Assert.DoesNotContain(configuration.AsEnumerable(), pair => pair.Key.Contains("..", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_folder_that_is_replaced_as_a_whole_is_read_again()
    {
        Write($"{Prefix}__Name", "first");
        using var configuration = Read();
        var reloaded = new TaskCompletionSource();
        using var registration = ((IConfiguration)configuration).GetReloadToken().RegisterChangeCallback(_ => reloaded.TrySetResult(), state: null);

        Directory.Move(_folder, _folder + "-old");
        Directory.CreateDirectory(_folder);
        Write($"{Prefix}__Name", "second");
        Directory.Delete(_folder + "-old", recursive: true);
        await reloaded.Task.WaitAsync(TimeSpan.FromSeconds(15), TimeProvider.System, TestContext.Current.CancellationToken);

        Assert.Equal("second", configuration[$"{Prefix}:Name"]);
    }

    private void Mount(string version, string value)
    {
        Directory.CreateDirectory(Path.Combine(_folder, version));
        Write(Path.Combine(version, $"{Prefix}__Name"), value);
        var link = Path.Combine(_folder, "..data");
        var next = Path.Combine(_folder, "..data_tmp");
        Directory.CreateSymbolicLink(next, version);

        // As the kubelet does: renamed over the old one, so that it is never absent.
        Assert.Equal(0, Rename(next, link));
    }

    private void Write(string name, string value) => File.WriteAllText(Path.Combine(_folder, name), value);

    private void SetVariable(string name, string value)
    {
        _variables.Add(name);
        Environment.SetEnvironmentVariable(name, value);
    }

    /// <summary>In the order in which ASP.NET Core has its sources.</summary>
    private ConfigurationManager Read(string? folder = null, (string Key, string Value)[]? settings = null, string[]? arguments = null)
    {
        var configuration = new ConfigurationManager();
        configuration.AddEnvironmentVariables("ASPNETCORE_");
        configuration.AddInMemoryCollection([new(SecretFiles.FolderKey, folder ?? _folder)]);
        configuration.AddInMemoryCollection((settings ?? []).Select(pair => new KeyValuePair<string, string?>(pair.Key, pair.Value)));
        configuration.AddEnvironmentVariables();
        configuration.AddCommandLine(arguments ?? []);
        configuration.AddSecretFiles();
        return configuration;
    }

    /// <summary>Of the library's own methods none renames a link to a folder over another.</summary>
    [LibraryImport("libc", EntryPoint = "rename", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Rename(string from, string to);
}
