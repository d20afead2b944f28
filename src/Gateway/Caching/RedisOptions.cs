using System.ComponentModel.DataAnnotations;
using Gateway.Configuration;

namespace Gateway.Caching;

/// <summary>Section <c>Redis</c>: what the replicas share. Optional equipment: without it each replica keeps to its own memory.</summary>
internal sealed class RedisOptions
{
    public const string Section = "Redis";

    /// <summary>StackExchange.Redis connection string (<c>host:6379,password=…,ssl=true</c>). Empty (default): memory only. A secret.</summary>
    [Secret("password=")]
    public string ConnectionString { get; set; } = string.Empty;

    /// <summary>First part of every key and channel, so that one Redis can serve several gateways. Default <c>gateway</c>.</summary>
    [Required]
    [RegularExpression("[A-Za-z0-9._:-]{1,64}", ErrorMessage = "must be 1 to 64 letters, digits or . _ - : characters.")]
    public string KeyPrefix { get; set; } = "gateway";

    /// <summary>What one command may cost before Redis counts as absent for a while. Default 250 ms, range 10 ms to 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:00:05")]
    public TimeSpan OperationTimeout { get; set; } = TimeSpan.FromMilliseconds(250);
}
