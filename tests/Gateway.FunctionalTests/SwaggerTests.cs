using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>The page that people browse, and the document behind it.</summary>
public sealed class SwaggerTests(GatewayStack stack) : IClassFixture<GatewayStack>
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The document is a reviewed file. To accept a change: <c>ACCEPT_OPENAPI=1 ./dev test</c>, then look at the diff.</summary>
    [Fact]
    public async Task Document_is_the_reviewed_one()
    {
        var file = Path.Combine(Programs.Root, "tests", "Gateway.FunctionalTests", "openapi.json");
        var document = (await stack.Gateway.GetAsync("/swagger/v1/swagger.json")).Json.ToJsonString(Readable) + "\n";
        if (System.Environment.GetEnvironmentVariable("ACCEPT_OPENAPI") == "1")
        {
            await File.WriteAllTextAsync(file, document, TestContext.Current.CancellationToken);
        }

        Assert.Equal(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken), document);
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
