namespace Gateway.Caching;

internal enum RedisState
{
    /// <summary>Not configured.</summary>
    Off,

    /// <summary>Configured; the first connection is still being made.</summary>
    Connecting,

    /// <summary>In use.</summary>
    Up,

    /// <summary>Configured and cannot be used for now.</summary>
    Down,
}
