using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Gateway.Configuration;
using Gateway.Observability;

namespace Gateway.Egress;

/// <summary>
/// Which proxy, if any, a request goes through: one rule for the token server, the upstreams and forwarded calls. Credentials are kept
/// apart from the address, because a handler puts the address into the messages of its exceptions.
/// </summary>
internal sealed class EgressProxy : IWebProxy, ICredentials
{
    private static readonly string[] TelemetryVariables = [TraceContext.EndpointVariable, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"];

    private readonly Hop? _http;
    private readonly Hop? _https;
    private readonly List<ProxyExemption> _exempt;

    private EgressProxy(Hop? http, Hop? https, List<ProxyExemption> exempt) => (_http, _https, _exempt) = (http, https, exempt);

    public ICredentials? Credentials
    {
        get => this;
        set => throw new NotSupportedException();
    }

    /// <summary>By scheme of what is asked for: the proxy without its credentials, and the key or variable that names it.</summary>
    public IEnumerable<(string Scheme, Uri Proxy, string Source)> Hops =>
        from hop in new[] { (Scheme: Uri.UriSchemeHttps, Hop: _https), (Scheme: Uri.UriSchemeHttp, Hop: _http) }
        where hop.Hop is not null
        select (hop.Scheme, hop.Hop.Proxy, hop.Hop.Source);

    /// <summary>What the options and the environment say, in that order.</summary>
    /// <param name="options">The section <c>Proxy</c>.</param>
    /// <param name="environment">A variable's value, null if there is none. Lower case goes first, as everywhere.</param>
    /// <param name="errors">Gets what is wrong, with the key or variable and the fix, and without the value.</param>
    public static EgressProxy Read(EgressOptions options, Func<string, string?> environment, List<string> errors)
    {
        var key = Named($"{EgressOptions.Section}:{nameof(EgressOptions.Address)}", options.Address);
        var https = Read(key ?? Variable("HTTPS_PROXY") ?? Variable("ALL_PROXY"), options, errors);
        var http = key is not null ? https : Read(Variable("HTTP_PROXY") ?? Variable("ALL_PROXY"), options, errors);
        if (options.Password.Length > 0 && options.User.Length == 0)
        {
            errors.Add("Proxy:Password: has no user; give Proxy:User too.");
        }

        var exempt = Variable("NO_PROXY") is var (name, list) ? ProxyExemption.Read(name, list, errors) : [];

        // The collector stands beside the gateway and is no upstream.
        exempt.AddRange(TelemetryVariables.Select(environment).Select(address => Uri.TryCreate(address, UriKind.Absolute, out var uri) ? uri : null)
            .OfType<Uri>().Select(collector => new ProxyExemption(collector)));
        return new EgressProxy(http, https, exempt);

        (string Name, string Value)? Variable(string name) => Named(name.ToLowerInvariant(), environment(name.ToLowerInvariant())) ?? Named(name, environment(name));

        static (string Name, string Value)? Named(string name, string? value) => string.IsNullOrEmpty(value) ? null : (name, value);
    }

    public bool IsBypassed(Uri host) => Of(host) is null || _exempt.Exists(one => one.Matches(host));

    public Uri? GetProxy(Uri destination) => IsBypassed(destination) ? null : Of(destination)!.Proxy;

    /// <param name="uri">The proxy's.</param>
    /// <param name="authType">Whichever it asks for.</param>
    public NetworkCredential? GetCredential(Uri uri, string authType) => new[] { _https, _http }.FirstOrDefault(hop => hop?.Proxy == uri)?.Credential;

    /// <summary>
    /// For a request that a proxy reads itself: with it at once, because the body of a forwarded call cannot be sent a second time when the
    /// proxy asks for it.
    /// </summary>
    public AuthenticationHeaderValue? Authorization(Uri destination) => Of(destination)?.Credential is { } known
        ? new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{known.UserName}:{known.Password}")))
        : null;

    /// <summary>Makes a handler go this way; where no proxy is named it is left as it was, and goes straight.</summary>
    public void ApplyTo(SocketsHttpHandler handler)
    {
        handler.UseProxy = Hops.Any();
        handler.Proxy = handler.UseProxy ? this : null;
    }

    /// <summary>Around a handler to which this was applied: says of a failure whether it was the proxy's.</summary>
    public HttpMessageHandler Around(HttpMessageHandler handler) => Hops.Any() ? new EgressHandler(this, handler) : handler;

    private Hop? Of(Uri destination) => destination.Scheme is "http" or "ws" ? _http : _https;

    private static Hop? Read((string Name, string Value)? from, EgressOptions options, List<string> errors)
    {
        if (from is not var (name, value))
        {
            return null;
        }

        string Error() => VerbatimAttribute.Defect(value) ?? value switch
        {
            _ when !value.Contains("://", StringComparison.Ordinal) => "has no scheme; write http://HOST:PORT.",
            _ when !value.StartsWith("http://", StringComparison.OrdinalIgnoreCase) => "is not an http proxy (https and SOCKS to a proxy are not spoken); write http://HOST:PORT.",
            _ => "is not a proxy's address; write http://HOST:PORT, and a user and password with special characters into Proxy:User and Proxy:Password.",
        };
        if (VerbatimAttribute.Defect(value) is not null || !Uri.TryCreate(value, UriKind.Absolute, out var uri)
            || uri is not { Scheme: "http", AbsolutePath: "/", Query: "", Fragment: "", Host.Length: > 0 })
        {
            errors.Add($"{name}: {Error()}");
            return null;
        }

        var colon = uri.UserInfo.IndexOf(':', StringComparison.Ordinal);
        var (user, password) = colon < 0 ? (uri.UserInfo, string.Empty) : (uri.UserInfo[..colon], uri.UserInfo[(colon + 1)..]);
        if (user.Length > 0 && options.User.Length > 0)
        {
            errors.Add($"Proxy:User: {name} has a user too; keep one of them.");
        }

        var credential = options.User.Length > 0 ? new NetworkCredential(options.User, options.Password)
            : user.Length > 0 ? new NetworkCredential(Uri.UnescapeDataString(user), Uri.UnescapeDataString(password))
            : null;
        return new Hop(new UriBuilder(Uri.UriSchemeHttp, uri.Host, uri.Port).Uri, credential, name);
    }

    private sealed record Hop(Uri Proxy, NetworkCredential? Credential, string Source);
}
