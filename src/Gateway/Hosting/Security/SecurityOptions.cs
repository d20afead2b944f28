using Gateway.Configuration;

namespace Gateway.Hosting.Security;

/// <summary>Section <c>Security</c>: who may call.</summary>
internal sealed class SecurityOptions
{
    public const string Section = "Security";

    /// <summary>API keys, of which only hashes are known here. Several may have the same name, so that a key can be rotated.</summary>
    public List<ApiKeyOptions> ApiKeys { get; set; } = [];
}

/// <summary>One API key.</summary>
internal sealed class ApiKeyOptions
{
    /// <summary>Whose key it is; shown in logs. Required.</summary>
    public string Name { get; set; } = string.Empty;

    /// <summary>SHA-256 of the key, 64 hexadecimal digits (<c>printf %s KEY | sha256sum</c>). Required.</summary>
    public string Sha256 { get; set; } = string.Empty;

    /// <summary><c>proxy</c>, <c>admin</c>. At least one.</summary>
    public CommaList Roles { get; set; } = [];
}
