namespace Gateway.Configuration;

/// <summary>What an API key can permit; also the names of the authorization policies that ask for it.</summary>
internal static class Roles
{
    /// <summary>Calls that are not open to everybody, and the gateway's credentials on them.</summary>
    public const string Proxy = "proxy";

    /// <summary>Operating the gateway.</summary>
    public const string Admin = "admin";

    /// <summary>Not a role: the policy that every valid key satisfies.</summary>
    public const string AnyKey = "key";

    public static IReadOnlyList<string> All { get; } = [Proxy, Admin];
}
