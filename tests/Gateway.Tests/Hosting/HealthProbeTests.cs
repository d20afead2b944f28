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
    [InlineData("http://127.0.0.1:7001/", "Kestrel:Endpoints:A:Url=http://*:7000", "Kestrel:Endpoints:A:Protocols=Http2", "Kestrel:Endpoints:B:Url=http://*:7001")]
    [InlineData(null, "Kestrel:Endpoints:A:Url=http://*:7000", "Kestrel:EndpointDefaults:Protocols=Http2")]
    [InlineData(null, "urls=http://unix:/tmp/gateway.sock")]
    [InlineData(null, "urls=nonsense")]
    [InlineData("http://127.0.0.1:8081/", "urls=https://*:8443", "Hosting:ManagementPort=8081")]
    [InlineData("http://127.0.0.1:8081/", "urls=http://*:8080", "Hosting:ManagementPort= 8081 ")]
    [InlineData("http://127.0.0.1:8081/", "urls=http://*:8080", "Hosting:ManagementPort=0x1F91")]
    [InlineData("http://127.0.0.1:8080/", "urls=http://*:8080", "Hosting:ManagementPort=none")]
    [InlineData("http://127.0.0.1:8080/", "urls=http://*:8080", "Hosting:ManagementPort=65536")]
    [InlineData("http://127.0.0.1:8081/", "Kestrel:Endpoints:Web:Url=http://*:7000", "Hosting:ManagementPort=8081")]
    public void It_asks_where_the_gateway_listens(string? expected, params string[] settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => setting.Split('=', 2)).Select(pair => KeyValuePair.Create(pair[0], (string?)pair[1])))
            .Build();

        Assert.Equal(expected, HealthProbe.AddressOf(configuration)?.AbsoluteUri);
    }
}
