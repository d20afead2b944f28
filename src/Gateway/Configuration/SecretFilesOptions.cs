namespace Gateway.Configuration;

/// <summary>Where secrets lie in files. A key of the section <c>Hosting</c>, read before all others (<see cref="SecretFiles"/>).</summary>
internal sealed class SecretFilesOptions
{
    public const string Section = "Hosting";

    /// <summary>Folder with one file for each key, named as in the environment. Default <c>/run/secrets</c>.</summary>
    public string SecretsFolder { get; set; } = "/run/secrets";
}
