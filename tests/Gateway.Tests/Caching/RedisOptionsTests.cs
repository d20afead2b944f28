using Gateway.Caching;

namespace Gateway.Tests.Caching;

public sealed class RedisOptionsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("redis-options-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("redis", "", "", "", "", "", null)]
    [InlineData("redis", "gateway", "p,a=s s", "", "", "", null)]
    [InlineData("redis,user=u", "gateway", "", "", "", "", "Redis:User")]
    [InlineData("redis,password=s3cret", "", "other", "", "", "", "Redis:Password")]
    [InlineData("redis,ssl=true", "", "", "", "absent.pem", "", "Redis:ClientCertificateFile")]
    [InlineData("redis,ssl=true", "", "", "", "absent.pem", "absent.key", "Redis:ClientKeyFile")]
    [InlineData("redis,ssl=true", "", "", "absent.pem", "", "", "Redis:CertificateAuthorityFile")]
    [InlineData("redis,ssl=true", "", "", "empty.pem", "", "", "Redis:CertificateAuthorityFile")]
    [InlineData("", "", "", "absent.pem", "", "", null)]
    public void What_cannot_be_connected_with_is_refused_and_named(string connection, string user, string password, string authority, string certificate, string key, string? named)
    {
        File.WriteAllText(Path.Combine(_folder, "empty.pem"), string.Empty);
        var result = new RedisOptionsValidator().Validate(name: null, new RedisOptions
        {
            ConnectionString = connection,
            User = user,
            Password = password,
            CertificateAuthorityFile = In(authority),
            ClientCertificateFile = In(certificate),
            ClientKeyFile = In(key),
        });

        Assert.Equal(named is null, result.Succeeded);
        Assert.Contains(named ?? string.Empty, result.FailureMessage ?? string.Empty, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", result.FailureMessage ?? string.Empty, StringComparison.Ordinal);

        string In(string file) => file.Length == 0 ? string.Empty : Path.Combine(_folder, file);
    }

    [Fact]
    public void Certificate_files_without_tls_are_refused() =>
        Assert.Contains("ssl=true", new RedisOptionsValidator().Validate(name: null, new RedisOptions { ConnectionString = "redis", CertificateAuthorityFile = "ca.pem" }).FailureMessage, StringComparison.Ordinal);

    [Fact]
    public void User_and_password_beside_the_string_go_as_they_are_and_those_in_it_stay()
    {
        var beside = new RedisOptions { ConnectionString = "redis:6379,ssl=true", User = "gateway", Password = " p,a=s s " }.ToConfiguration();
        var within = new RedisOptions { ConnectionString = "redis:6379,user=u,password=p" }.ToConfiguration();

        Assert.Equal(("gateway", " p,a=s s ", true), (beside.User, beside.Password, beside.Ssl));
        Assert.Equal(("u", "p"), (within.User, within.Password));
        Assert.Null(beside.SslClientAuthenticationOptions);
    }
}
