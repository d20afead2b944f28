using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>The page that people browse, and the document behind it.</summary>
public sealed class SwaggerTests(GatewayStack stack) : IClassFixture<GatewayStack>
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Both documents are reviewed files. To accept a change: <c>ACCEPT_OPENAPI=1 ./dev test</c>, then look at the diff.</summary>
    [Theory]
    [InlineData("/swagger/v1/swagger.json", "openapi.json")]
    [InlineData("/admin/swagger.json", "openapi-admin.json")]
    public async Task Document_is_the_reviewed_one(string path, string name)
    {
        var file = Path.Combine(Programs.Root, "tests", "Gateway.FunctionalTests", name);
        var served = (await stack.Gateway.GetAsync(path, ("X-Api-Key", GatewayProcess.AdminKey))).Json;

        // The build's, which is not reviewed.
        Assert.Matches("^[0-9]+\\.[0-9]+\\.[0-9]+", (string?)served["info"]!["version"]);
        served["info"]!["version"] = "0.0.0";
        var document = served.ToJsonString(Readable) + "\n";
        if (System.Environment.GetEnvironmentVariable("ACCEPT_OPENAPI") == "1")
        {
            await File.WriteAllTextAsync(file, document, TestContext.Current.CancellationToken);
        }

        Assert.Equal(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken), document);
    }

    /// <summary>What generators of typed clients need: closed sets with a name, and nothing optional that is always sent.</summary>
    [Fact]
    public async Task Closed_sets_are_components_and_what_is_always_sent_is_required()
    {
        var document = (await stack.Gateway.GetAsync("/swagger/v1/swagger.json")).Json;
        var schemas = document["components"]!["schemas"]!.AsObject();

        Assert.All(Find(document, "enum"), path => Assert.Matches(@"^\$\.components\.schemas\.\w+$", path));
        Assert.Empty(Find(document, "nullable"));
        string[] closed = ["CountrySource", "FailedProductCode", "ItemType", "PeriodUnit", "PriceMode", "PriceStatus", "PricingModel", "ProblemCode", "UpstreamFailure"];
        Assert.Equal(closed, schemas.Where(schema => schema.Value!["enum"] is not null).Select(schema => schema.Key).Order(StringComparer.Ordinal));
        Assert.Equal(
            ["CatalogBilling.extensions", "CatalogContext.ignoredParameters", "CatalogPrice.cause", "CatalogThen.cause", "ProblemResponse.detail", "ProblemResponse.parameter"],
            schemas.SelectMany(schema => (schema.Value!["properties"]?.AsObject() ?? [])
                .Where(property => !schema.Value["required"]!.AsArray().Any(name => (string?)name == property.Key))
                .Select(property => $"{schema.Key}.{property.Key}")).Order(StringComparer.Ordinal));
    }

    private static IEnumerable<string> Find(JsonNode? node, string name) => node switch
    {
        JsonObject found => found.SelectMany(member => Find(member.Value, name).Concat(member.Key == name ? [found.GetPath()] : [])),
        JsonArray list => list.SelectMany(item => Find(item, name)),
        _ => [],
    };

    [Fact]
    public async Task Administration_is_described_to_whoever_has_its_key_and_to_nobody_else()
    {
        Assert.Equal(HttpStatusCode.Unauthorized, (await stack.Gateway.GetAsync("/admin/swagger.json")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await stack.Gateway.GetAsync("/admin/swagger.json", ("X-Api-Key", GatewayProcess.ProxyKey))).Status);
        Assert.DoesNotContain("/admin/", (await stack.Gateway.GetAsync("/swagger/v1/swagger.json")).Body, StringComparison.Ordinal);
    }

    /// <summary>A browser sends no header of ours, but asks for a name and a password where it is told to.</summary>
    [Fact]
    public async Task Documentation_takes_a_key_as_the_password_of_Basic_authentication_and_nothing_else_does()
    {
        var basic = ("Authorization", "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("anybody:" + GatewayProcess.AdminKey)));
        var wrong = ("Authorization", "Basic " + Convert.ToBase64String("anybody:wrong"u8));

        Assert.Equal(HttpStatusCode.OK, (await stack.Gateway.GetAsync("/admin/swagger.json", basic)).Status);
        var refused = await stack.Gateway.GetAsync("/admin/swagger.json", wrong);
        Assert.Equal((HttpStatusCode.Unauthorized, "unauthenticated"), (refused.Status, refused.Code));
        Assert.Contains("Basic realm=", refused.Header("WWW-Authenticate"), StringComparison.Ordinal);
        foreach (var malformed in new[] { "Basic", "Basic !", "Basic " + Convert.ToBase64String("nocolon"u8), "Bearer x" })
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await stack.Gateway.GetAsync("/admin/swagger.json", ("Authorization", malformed))).Status);
        }

        var elsewhere = await stack.Gateway.GetAsync("/admin/price-drift", basic);
        Assert.Equal(HttpStatusCode.Unauthorized, elsewhere.Status);
        Assert.DoesNotContain("Basic", elsewhere.Header("WWW-Authenticate"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Access_by_key_closes_page_and_document_to_everybody_else()
    {
        await using var gateway = await stack.StartGatewayAsync(("Swagger:Access", "key"));
        foreach (var path in new[] { "/swagger", "/swagger/index.html", "/swagger/swagger-ui.css", "/swagger/v1/swagger.json", "/swagger/v1/swagger.yaml" })
        {
            var refused = await gateway.GetAsync(path);
            Assert.Equal((HttpStatusCode.Unauthorized, "unauthenticated"), (refused.Status, refused.Code));
            Assert.Contains("Basic realm=", refused.Header("WWW-Authenticate"), StringComparison.Ordinal);
            Assert.InRange((int)(await gateway.GetAsync(path, ("X-Api-Key", GatewayProcess.ProxyKey))).Status, 200, 302);
            Assert.Equal(HttpStatusCode.Unauthorized, (await gateway.GetAsync(path)).Status);
        }
    }

    /// <summary>Who asks at the same time shares one document, which whoever asked first must not take along.</summary>
    [Fact]
    public async Task A_client_that_leaves_while_the_document_is_made_costs_the_others_nothing()
    {
        await using var gateway = await stack.StartGatewayAsync();
        using (var leaving = new TcpClient())
        {
            await leaving.ConnectAsync(gateway.Address.Host, gateway.Address.Port, TestContext.Current.CancellationToken);
            await leaving.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"GET /swagger/v1/swagger.json HTTP/1.1\r\nHost: {gateway.Address.Authority}\r\n\r\n"), TestContext.Current.CancellationToken);
            leaving.LingerState = new LingerOption(enable: true, seconds: 0);
        }

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => gateway.GetAsync("/swagger/v1/swagger.json")));

        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
    }

    [Fact]
    public async Task Access_off_leaves_no_page_and_no_document()
    {
        await using var gateway = await stack.StartGatewayAsync(("Swagger:Access", "off"));
        foreach (var path in new[] { "/", "/swagger", "/swagger/index.html", "/swagger/v1/swagger.json", "/admin/swagger.json" })
        {
            Assert.Equal(HttpStatusCode.NotFound, (await gateway.GetAsync(path, ("X-Api-Key", GatewayProcess.AdminKey))).Status);
        }
    }

    [Theory]
    [InlineData("/", "/swagger")]
    [InlineData("/swagger", "swagger/index.html")]
    public async Task Root_leads_to_the_page(string path, string location)
    {
        var answer = await stack.Gateway.GetAsync(path);

        Assert.InRange((int)answer.Status, 301, 302);
        Assert.Equal(location, answer.Headers["Location"]);
    }

    [Theory]
    [InlineData("HEAD", "/swagger/v1/swagger.json", HttpStatusCode.OK)]
    [InlineData("GET", "/swagger/v1/swagger.yaml", HttpStatusCode.OK)]
    [InlineData("GET", "/swagger/v1/swagger.json%0A", HttpStatusCode.NotFound)]
    [InlineData("GET", "/swagger/v2/swagger.json", HttpStatusCode.NotFound)]
    [InlineData("POST", "/swagger/v1/swagger.json", HttpStatusCode.MethodNotAllowed)]
    public async Task Document_is_where_it_is_and_nowhere_else(string method, string path, HttpStatusCode status) =>
        Assert.Equal(status, (await stack.Gateway.SendAsync(new HttpMethod(method), path)).Status);

    [Fact]
    public async Task Page_and_its_parts_are_served()
    {
        foreach (var part in new[] { "index.html", "swagger-ui.css", "swagger-ui-bundle.js" })
        {
            Assert.Equal(HttpStatusCode.OK, (await stack.Gateway.GetAsync("/swagger/" + part)).Status);
        }
    }

    [Fact]
    public async Task Example_of_a_catalog_is_what_the_gateway_answers()
    {
        var document = (await stack.Gateway.GetAsync("/swagger/v1/swagger.json")).Json;
        var example = document["paths"]!["/catalog"]!["get"]!["responses"]!["200"]!["content"]!["application/json"]!["example"]!;

        var answer = await stack.Gateway.GetAsync("/catalog?product=builtfor_example&country=US&lang=en&type=plan&period=month");

        // Of the three plans the example shows the first.
        var items = answer.Items;
        while (items.Count > 1)
        {
            items.RemoveAt(items.Count - 1);
        }

        Assert.Equal(items.ToJsonString(), example["items"]!.ToJsonString());
        Assert.Equal(answer.Json["context"]!.ToJsonString(), example["context"]!.ToJsonString());
        Assert.Equal(
            answer.Json["completeness"]!.AsObject().Select(property => property.Key),
            example["completeness"]!.AsObject().Select(property => property.Key));
    }

    [Fact]
    public async Task Every_operation_works_with_the_examples_that_the_page_fills_in()
    {
        var paths = (await stack.Gateway.GetAsync("/swagger/v1/swagger.json")).Json["paths"]!.AsObject();
        Assert.NotEmpty(paths);
        foreach (var (template, operations) in paths)
        {
            var path = template;
            var query = new List<string>();
            foreach (var parameter in operations!["get"]!["parameters"]!.AsArray().Where(parameter => parameter!["example"] is not null))
            {
                var name = (string)parameter!["name"]!;
                var example = parameter["example"] is JsonArray list ? string.Join(',', list.Select(value => (string?)value)) : (string)parameter["example"]!;
                if ((string)parameter["in"]! == "path")
                {
                    path = path.Replace("{" + name + "}", example, StringComparison.Ordinal);
                }
                else
                {
                    query.Add($"{name}={example}");
                }
            }

            var answer = await stack.Gateway.GetAsync(path + "?" + string.Join('&', query));
            Assert.Equal(HttpStatusCode.OK, answer.Status);
            Assert.NotEmpty(answer.Body);
        }
    }
}
