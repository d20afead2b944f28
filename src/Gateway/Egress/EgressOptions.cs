using Gateway.Configuration;
using Microsoft.Extensions.Options;

namespace Gateway.Egress;

/// <summary>
/// Section <c>Proxy</c>: the proxy on the way out, for everything that is asked by http or https. Without an address here the environment's
/// <c>HTTPS_PROXY</c> and <c>HTTP_PROXY</c> hold; <c>NO_PROXY</c> holds either way.
/// </summary>
internal sealed class EgressOptions
{
    public const string Section = "Proxy";

    /// <summary><c>http://HOST:PORT</c>, user and password in it percent-encoded. Empty (default): the environment's. With a password a secret.</summary>
    [Secret("@")]
    public string Address { get; set; } = string.Empty;

    /// <summary>User at the proxy, wherever its address stands. Empty (default): the address's, else none.</summary>
    [Verbatim]
    public string User { get; set; } = string.Empty;

    /// <summary>Password at the proxy, whatever characters it has. Empty (default): the address's. A secret.</summary>
    [Secret]
    [Verbatim]
    public string Password { get; set; } = string.Empty;
}

/// <summary>The key and the environment alike: a value that cannot be read is an error at the start, and never "no proxy".</summary>
internal sealed class EgressOptionsValidator : IValidateOptions<EgressOptions>
{
    public ValidateOptionsResult Validate(string? name, EgressOptions options)
    {
        var errors = new List<string>();
        _ = EgressProxy.Read(options, Environment.GetEnvironmentVariable, errors);
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }
}
