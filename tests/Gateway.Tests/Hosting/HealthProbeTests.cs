using Gateway.Hosting;
using Microsoft.Extensions.Configuration;

namespace Gateway.Tests.Hosting;

/// <summary>The probe asks where the gateway listens, by Kestrel's own rules of which setting wins.</summary>
public sealed class HealthProbeTests
{
    [Theory]
    [InlineData("http://127.0.0.1:5000/")]
    [InlineData("http://127.0.0.1:8080/", "http_ports=8080")]
    [InlineData("http://127.0.0.1:8080/", "http_ports=8080;8081")]
    [InlineData("http://127.0.0.1:9000/", "http_ports=8080", "urls=http://*:9000")]
    [InlineData("http://127.0.0.1:9000/", "urls=https://*:9001;http://+:9000")]
    [InlineData("https://127.0.0.1:9001/", "urls=https://*:9001")]
    [InlineData("http://127.0.0.1:9000/", "urls=http://0.0.0.0:9000")]
    [InlineData("http://127.0.0.1:9000/", "urls=http://[::]:9000")]
    [InlineData("http://[::1]:9000/", "urls=http://[::1]:9000")]
    [InlineData("http://10.1.2.3:9000/", "urls=http://10.1.2.3:9000")]
    [InlineData("http://127.0.0.1:9000/", "urls=http://gateway:9000/")]
    [InlineData("http://127.0.0.1:7000/", "urls=http://*:9000", "Kestrel:Endpoints:Web:Url=http://*:7000")]
    [InlineData(null, "urls=http://unix:/tmp/gateway.sock")]
    [InlineData(null, "urls=nonsense")]
    public void It_asks_where_the_gateway_listens(string? expected, params string[] settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => setting.Split('=', 2)).Select(pair => KeyValuePair.Create(pair[0], (string?)pair[1])))
            .Build();

        Assert.Equal(expected, HealthProbe.AddressOf(configuration)?.AbsoluteUri);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("*", null)]
    [InlineData("shop.example;*", null)]
    [InlineData("shop.example;other.example", "shop.example")]
    [InlineData("*.shop.example", "health.shop.example")]
    public void It_names_a_host_that_the_gateway_accepts(string? allowed, string? expected) =>
        Assert.Equal(expected, HealthProbe.AllowedHost(allowed));
}
