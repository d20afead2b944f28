using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Gateway.Caching;

internal sealed class RedisOptionsValidator : IValidateOptions<RedisOptions>
{
    public ValidateOptionsResult Validate(string? name, RedisOptions options)
    {
        if (options.ConnectionString.Length > 0 && !IsConnectionString(options.ConnectionString))
        {
            // Not repeated: it may carry a password.
            return ValidateOptionsResult.Fail("Redis:ConnectionString: is not a connection string; write host:port, with options after commas, such as redis:6379,ssl=true.");
        }

        return ValidateOptionsResult.Success;
    }

    private static bool IsConnectionString(string text)
    {
        try
        {
            return ConfigurationOptions.Parse(text).EndPoints.Count > 0;
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or OverflowException)
        {
            return false;
        }
    }
}
