using StackExchange.Redis;

namespace Gateway.Caching;

/// <summary>
/// Asks Redis whether its ACL lets the gateway's user do what the gateway does, so that a rule that is too narrow is known at the start and
/// not one refused command after the other. Engines that cannot tell (before Redis 7, and others) forbid nothing here.
/// </summary>
internal static class RedisRights
{
    // ARGV: commands with arguments. Returns those that are forbidden. Executes none of them.
    private const string Check = """
        local forbidden = {}
        for _, command in ipairs(redis.acl_check_cmd and ARGV or {}) do
          local words = {}
          for word in string.gmatch(command, '%S+') do words[#words + 1] = word end
          if not redis.acl_check_cmd(unpack(words)) then forbidden[#forbidden + 1] = command end
        end
        return forbidden
        """;

    /// <summary>Names of a cluster's keys are under the same prefix.</summary>
    private static readonly string[] KeyKinds = ["v1", "lease", "token", "limit", "purge"];

    /// <summary>docs/caching.md has the same in its rule. With <c>k</c> for a key and <c>c</c> for the channel of purges.</summary>
    private static readonly string[] Commands =
    [
        "SETEX k 1 x", "PSETEX k 1 x", "GETRANGE k 0 1", "STRLEN k", "EXISTS k", "DEL k", "HMGET k x", "HMSET k x 1", "PEXPIRE k 1", "TIME", "LPUSH k x",
        "LRANGE k 0 1", "LTRIM k 0 1", "PUBLISH c x", "SUBSCRIBE c",
    ];

    /// <summary>What is forbidden, as it would be sent; empty: nothing, as far as Redis tells.</summary>
    public static async Task<string[]> ForbiddenAsync(IDatabase database, string prefix)
    {
        var commands = KeyKinds.SelectMany(kind => new[] { $"GET {prefix}:{kind}:x", $"SET {prefix}:{kind}:x 1" })
            .Concat(Commands.Select(command => command.Replace(" k", $" {prefix}:x", StringComparison.Ordinal).Replace(" c", $" {prefix}:purge", StringComparison.Ordinal)));
        return (string[])(await database.ScriptEvaluateAsync(Check, [KeyOf(prefix)], [.. commands.Select(command => (RedisValue)command)], RedisConnection.ScriptFlags))!;
    }

    /// <summary>Decides which node of a cluster is asked; nothing lies there.</summary>
    public static RedisKey KeyOf(string prefix) => prefix + ":rights";
}
