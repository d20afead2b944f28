using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Gateway.Caching;

internal sealed class RedisOptionsValidator : IValidateOptions<RedisOptions>
{
    public ValidateOptionsResult Validate(string? name, RedisOptions options)
    {
        if (options.ConnectionString.Length == 0)
        {
            return ValidateOptionsResult.Success;
        }

        if (options.ConnectionString.Contains("://", StringComparison.Ordinal))
        {
            return ValidateOptionsResult.Fail("Redis:ConnectionString: is a URL; write host:port without redis:// in front, and what follows as options after commas, such as redis:6379,ssl=true.");
        }

        if (Parse(options.ConnectionString) is not { EndPoints.Count: > 0 } parsed)
        {
            // Not repeated: it may carry a password.
            return ValidateOptionsResult.Fail("Redis:ConnectionString: is not a connection string; write host:port, with options after commas, such as redis:6379,ssl=true.");
        }

        var errors = new List<string>();
        if (options.User.Length > 0 && parsed.User is { Length: > 0 })
        {
            errors.Add("Redis:User: Redis:ConnectionString names a user too; keep one of them.");
        }

        if (options.Password.Length > 0 && parsed.Password is { Length: > 0 })
        {
            errors.Add("Redis:Password: Redis:ConnectionString has a password too; keep one of them.");
        }

        if ((options.ClientCertificateFile.Length > 0) != (options.ClientKeyFile.Length > 0))
        {
            errors.Add("Redis:ClientCertificateFile: goes together with Redis:ClientKeyFile; set both or none.");
        }
        else if (options.CertificateAuthorityFile.Length + options.ClientCertificateFile.Length > 0)
        {
            if (!parsed.Ssl)
            {
                errors.Add("Redis:ConnectionString: uses no TLS, so that certificate files are of no use; add ssl=true, or leave Redis:CertificateAuthorityFile and Redis:ClientCertificateFile empty.");
            }

            CheckFiles(new RedisOptions { CertificateAuthorityFile = options.CertificateAuthorityFile }, nameof(options.CertificateAuthorityFile));
            CheckFiles(
                new RedisOptions { ClientCertificateFile = options.ClientCertificateFile, ClientKeyFile = options.ClientKeyFile },
                $"{nameof(options.ClientCertificateFile)}, {RedisOptions.Section}:{nameof(options.ClientKeyFile)}");
        }

        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);

        void CheckFiles(RedisOptions files, string keys)
        {
            try
            {
                var tls = files.ToTls(string.Empty, parsed);
                if (tls.CertificateChainPolicy is { CustomTrustStore.Count: 0 })
                {
                    throw new CryptographicException();
                }
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException)
            {
                errors.Add($"{RedisOptions.Section}:{keys}: cannot be used ({exception.GetType().Name}); name a readable file in PEM form, of a key the one that belongs to the certificate, not encrypted.");
            }
        }
    }

    private static ConfigurationOptions? Parse(string text)
    {
        try
        {
            return ConfigurationOptions.Parse(text);
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or OverflowException)
        {
            return null;
        }
    }
}
