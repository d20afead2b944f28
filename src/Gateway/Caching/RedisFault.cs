using System.Net.Sockets;
using System.Security.Authentication;
using StackExchange.Redis;

namespace Gateway.Caching;

/// <summary>What a command to Redis, or an attempt to connect, came to: whatever its client throws is one of these.</summary>
/// <param name="Kind">What follows from it.</param>
/// <param name="Reason">An error code of Redis's or an exception's type; never the text of either, which may hold keys and values.</param>
/// <param name="Advice">What an operator can do.</param>
internal readonly record struct RedisFault(RedisFaultKind Kind, string Reason, string Advice)
{
    /// <summary>The reason where user or password are not accepted.</summary>
    public const string Credentials = "AuthenticationFailure";

    /// <summary>The reason where the two sides do not agree on TLS.</summary>
    public const string Certificate = "TLS";

    /// <summary>The reason where it is a replica.</summary>
    public const string ReadOnly = "READONLY";

    private static readonly string[] Codes =
        ["OOM", ReadOnly, "MISCONF", "NOREPLICAS", "NOPERM", "NOAUTH", "WRONGPASS", "LOADING", "BUSY", "CLUSTERDOWN", "MASTERDOWN", "WRONGTYPE", "CROSSSLOT", "MOVED", "ASK", "TRYAGAIN"];

    private const string WhoAreYou = "It does not accept the gateway's user or password: look at Redis:User and Redis:Password, or at both in Redis:ConnectionString";

    private static readonly string[] NoPermissionInScript = ["The user executing the script can't", "ACL failure in script"];

    public static RedisFault Of(Exception exception) => exception switch
    {
        RedisServerException reply => OfReply(reply.Message),
        RedisConnectionException connection => Of(connection.FailureType, connection.InnerException),
        TimeoutException => new(RedisFaultKind.TimedOut, "Timeout", "It did not answer within Redis:OperationTimeout. Look at its SLOWLOG, its memory and the network"),
        RedisCommandException => new(RedisFaultKind.Broken, nameof(RedisCommandException), "Its client refused a command: this form of Redis is not one that the gateway supports (docs/operations.md), or only a replica of it can be reached"),
        InvalidCastException => new(RedisFaultKind.Broken, nameof(InvalidCastException), "It answered what no Redis answers. Look at what Redis:ConnectionString points to, and who else writes under Redis:KeyPrefix"),
        SocketException or IOException or AuthenticationException => new(RedisFaultKind.Broken, exception.GetType().Name, "Look at the host, port and TLS settings of Redis:ConnectionString"),
        ArgumentException or FormatException => new(RedisFaultKind.Broken, exception.GetType().Name, "Look at Redis:ConnectionString"),
        _ => new(RedisFaultKind.Broken, exception.GetType().Name, "This is no fault that its client is known for: report it with the lines around this one"),
    };

    /// <param name="type">As the client calls it, which calls most of what is wrong with TLS, user or password something else.</param>
    /// <param name="exception">The cause, if it is known.</param>
    public static RedisFault Of(ConnectionFailureType type, Exception? exception = null)
    {
        var causes = Causes(exception).ToList();
        if (causes.Exists(cause => cause is AuthenticationException))
        {
            return new(RedisFaultKind.Unreachable, Certificate, "Its certificate is not trusted or has another name, or it wants a client certificate: look at Redis:CertificateAuthorityFile, Redis:ClientCertificateFile and the hosts in Redis:ConnectionString");
        }

        if (type == ConnectionFailureType.AuthenticationFailure || causes.Exists(cause => IsAboutCredentials(cause.Message)))
        {
            return new(RedisFaultKind.Unreachable, Credentials, WhoAreYou);
        }

        return new(RedisFaultKind.Unreachable, type.ToString(), type switch
        {
            ConnectionFailureType.Loading => "It is reading its data; nothing has to be done",
            ConnectionFailureType.ProtocolFailure => "It does not speak Redis's protocol. Look at what Redis:ConnectionString points to",
            _ => "Look at Redis, the network, and the addresses in Redis:ConnectionString",
        });
    }

    private static IEnumerable<Exception> Causes(Exception? exception) => exception switch
    {
        null => [],
        AggregateException several => several.InnerExceptions.SelectMany(Causes),
        _ => Causes(exception.InnerException).Prepend(exception),
    };

    private static bool IsAboutCredentials(string message) =>
        message.Contains("WRONGPASS", StringComparison.Ordinal) || message.Contains("NOAUTH", StringComparison.Ordinal);

    private static RedisFault OfReply(string message)
    {
        // Before Redis 7 an error within a script was wrapped into another one; from it on the ACL's has no code there.
        var code = Array.Find(Codes, code => message.StartsWith(code, StringComparison.Ordinal) || message.Contains($"-{code} ", StringComparison.Ordinal))
            ?? (Array.Exists(NoPermissionInScript, text => message.Contains(text, StringComparison.Ordinal)) ? "NOPERM" : "error reply");
        return code switch
        {
            "OOM" => new(RedisFaultKind.Refused, code, "Its memory is full and it evicts nothing: raise its maxmemory, or set maxmemory-policy volatile-lru"),
            ReadOnly => new(RedisFaultKind.Refused, code, "It is a replica: name the primary in Redis:ConnectionString, or Sentinel; after a failover the new primary is looked for"),
            "MISCONF" => new(RedisFaultKind.Refused, code, "It cannot write to its disk: mend that, or have it save nothing (save \"\"), which is enough for a cache"),
            "NOREPLICAS" => new(RedisFaultKind.Refused, code, "It has fewer replicas than its min-replicas-to-write"),
            "NOPERM" => new(RedisFaultKind.Refused, code, "Its ACL forbids a command, key or channel to the gateway's user: docs/caching.md names what is needed"),
            "NOAUTH" or "WRONGPASS" => new(RedisFaultKind.Broken, code, WhoAreYou),
            "LOADING" => new(RedisFaultKind.Broken, code, "It is reading its data; nothing has to be done"),
            "BUSY" => new(RedisFaultKind.Broken, code, "Somebody's script has kept it busy for long: SCRIPT KILL ends that"),
            "CLUSTERDOWN" or "MASTERDOWN" => new(RedisFaultKind.Broken, code, "A node that is needed is down: look at CLUSTER INFO, or at INFO replication"),
            "MOVED" or "ASK" or "TRYAGAIN" => new(RedisFaultKind.Unreachable, code, "Keys are being moved between the nodes of the cluster; nothing has to be done"),
            "WRONGTYPE" => new(RedisFaultKind.Broken, code, "Somebody else writes under Redis:KeyPrefix"),
            _ => new(RedisFaultKind.Broken, code, "Look at what Redis:ConnectionString points to, its version and its log"),
        };
    }
}

internal enum RedisFaultKind
{
    /// <summary>No connection, or not where the key was: costs no time, and passes by itself. No reason to leave Redis alone.</summary>
    Unreachable,

    /// <summary>No answer in time.</summary>
    TimedOut,

    /// <summary>It lives and will not do this, mostly a write; it may well do others, mostly reads.</summary>
    Refused,

    /// <summary>Anything else.</summary>
    Broken,
}
