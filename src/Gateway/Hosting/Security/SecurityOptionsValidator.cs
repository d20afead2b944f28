using System.Globalization;
using System.Security.Cryptography;
using Gateway.Configuration;
using Microsoft.Extensions.Options;

namespace Gateway.Hosting.Security;

internal sealed class SecurityOptionsValidator : IValidateOptions<SecurityOptions>
{
    private static readonly string EmptyKey = Convert.ToHexString(SHA256.HashData([]));

    public ValidateOptionsResult Validate(string? name, SecurityOptions options)
    {
        var errors = new List<string>();
        for (var index = 0; index < options.ApiKeys.Count; index++)
        {
            var key = options.ApiKeys[index];
            var path = string.Create(CultureInfo.InvariantCulture, $"Security:ApiKeys:{index}");
            if (string.IsNullOrWhiteSpace(key.Name))
            {
                errors.Add($"{path}:Name: is required.");
            }

            if (key.Sha256 is not { Length: 64 } hash || !hash.All(char.IsAsciiHexDigit))
            {
                errors.Add($"{path}:Sha256: must be the SHA-256 of the key in 64 hexadecimal digits (printf %s KEY | sha256sum), not the key itself.");
            }

            if (EmptyKey.Equals(key.Sha256, StringComparison.OrdinalIgnoreCase))
            {
                errors.Add($"{path}:Sha256: is the SHA-256 of nothing; was the key unset when it was made?");
            }

            if (key.Roles.Count == 0 || key.Roles.Exists(role => !Roles.All.Contains(role)))
            {
                errors.Add($"{path}:Roles: must name at least one of {string.Join(", ", Roles.All)}, and nothing else.");
            }
        }

        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }
}
