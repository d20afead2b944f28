using Microsoft.Extensions.Configuration.EnvironmentVariables;
using Microsoft.Extensions.Configuration.KeyPerFile;
using Microsoft.Extensions.FileProviders;

namespace Gateway.Configuration;

/// <summary>
/// Configuration values in files, one each, named as in the environment (<c>AccessTokens__ClientSecret</c>): Docker and Kubernetes
/// mount secrets so. They go over <c>appsettings.json</c> and under the environment, and are read again when they change. The line ends
/// at the end of a file are an editor's and not part of the value.
/// </summary>
internal static class SecretFiles
{
    /// <summary>Where they are looked for; default <c>/run/secrets</c>. A folder that is absent at the start is never looked at again.</summary>
    public const string FolderKey = $"{HostingOptions.Section}:{nameof(HostingOptions.SecretsFolder)}";

    /// <exception cref="InvalidOperationException">There is no folder of the name that is configured, or a file in it cannot be read.</exception>
    public static void AddSecretFiles(this ConfigurationManager configuration)
    {
        var folder = configuration[FolderKey] is { Length: > 0 } named ? named : new HostingOptions().SecretsFolder;
        if (!Directory.Exists(folder))
        {
            // The default one is absent wherever secrets come by the environment; one that somebody named was to be there.
            if (configuration[FolderKey] is { Length: > 0 })
            {
                throw new InvalidOperationException($"{FolderKey}: there is no folder {folder}; mount it, or leave the key out.");
            }

            return;
        }

        // Polled (every 4 s), because what mounts secrets replaces links and whole folders, which watchers do not see.
        var files = new KeyPerFileConfigurationSource
        {
            FileProvider = new PhysicalFileProvider(Path.GetFullPath(folder)) { UsePollingFileWatcher = true, UseActivePolling = true },
            ReloadOnChange = true,
            Optional = true,
        };
        if (Directory.EnumerateFiles(folder).FirstOrDefault(file => !IsReadable(file)) is { } unreadable)
        {
            throw new InvalidOperationException($"{FolderKey}: {unreadable} cannot be read; mend or remove it.");
        }

        var sources = ((IConfigurationBuilder)configuration).Sources;
        var environment = sources.ToList().FindLastIndex(source => source is EnvironmentVariablesConfigurationSource);
        sources.Insert(environment < 0 ? sources.Count : environment, new Source(files));
    }

    private sealed class Source(KeyPerFileConfigurationSource files) : IConfigurationSource
    {
        public IConfigurationProvider Build(IConfigurationBuilder builder) => new Provider(files);
    }

    /// <summary>The library's takes off one line end of this system's kind.</summary>
    private sealed class Provider(KeyPerFileConfigurationSource files) : KeyPerFileConfigurationProvider(files)
    {
        public override bool TryGet(string key, out string? value)
        {
            var isThere = base.TryGet(key, out value);
            value = value?.TrimEnd('\r', '\n');
            return isThere;
        }
    }

    private static bool IsReadable(string file)
    {
        try
        {
            File.OpenRead(file).Dispose();
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}

/// <summary>An option that must not lie in <c>appsettings*.json</c>: it comes from the environment or from a file of its own.</summary>
/// <param name="mark">Only a value that contains this is a secret; empty: any.</param>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class SecretAttribute(string mark = "") : Attribute
{
    public string Mark => mark;
}
