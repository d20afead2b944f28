namespace Gateway.FunctionalTests.Stack;

/// <summary>What is wrong with a connection, whatever it carries.</summary>
internal enum WireFault
{
    None,

    /// <summary>Nobody listens, and connections that there were are reset.</summary>
    Refused,

    /// <summary>Accepted and never answered.</summary>
    BlackHole,

    /// <summary>Answers come at 20 bytes a second.</summary>
    SlowDrip,

    /// <summary>Half of an answer, then a reset.</summary>
    Reset,

    /// <summary>Half of an answer, then an orderly end.</summary>
    Truncated,

    /// <summary>Another protocol's words instead of the answer.</summary>
    Garbage,

    /// <summary>Every Redis command is answered with an error.</summary>
    RedisErrors,

    /// <summary>Answers come 300 ms later than they were given.</summary>
    Late,

    /// <summary>Every Redis command is answered with the error of this name, as Redis words it.</summary>
    RedisLoading,
    RedisBusy,
    RedisMisconf,
    RedisNoAuth,
    RedisClusterDown,

    /// <summary>Every Redis command is answered with the same simple string, whatever its answer would be.</summary>
    RedisWrongType,
}
