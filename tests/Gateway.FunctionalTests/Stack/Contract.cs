using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;

namespace Gateway.FunctionalTests.Stack;

/// <summary>Holds the gateway's answers against the schemas of the reviewed OpenAPI document.</summary>
internal static class Contract
{
    private static readonly Lazy<JsonNode> Document = new(() => JsonNode.Parse(File.ReadAllText(Path.Combine(Programs.Root, "tests", "Gateway.FunctionalTests", "openapi.json")))!);

    private static readonly Lazy<JsonSchema> Catalog = new(() => SchemaOf("CatalogResponse"));

    private static readonly Lazy<JsonSchema> Problem = new(() => SchemaOf("ProblemResponse"));

    /// <summary>Every catalog and every problem of the gateway's own. What upstreams say, and what was not looked at (<c>HEAD</c>), is not described.</summary>
    public static void AssertKept(IEnumerable<Answer> answers)
    {
        foreach (var answer in answers.Where(answer => answer.Body.StartsWith('{')).DistinctBy(answer => answer.Body, StringComparer.Ordinal))
        {
            if (answer.Status == HttpStatusCode.OK && answer.Body.StartsWith("{\"context\":", StringComparison.Ordinal))
            {
                AssertValid(Catalog.Value, answer.Body);
            }
            else if (answer.Body.StartsWith("{\"type\":\"urn:gateway:problem:", StringComparison.Ordinal))
            {
                AssertValid(Problem.Value, answer.Body);
                Assert.Equal((int)answer.Status, (int?)answer.Json["status"]);
            }
        }
    }

    private static void AssertValid(JsonSchema schema, string body)
    {
        using var json = JsonDocument.Parse(body);
        var results = schema.Evaluate(json.RootElement, new EvaluationOptions { OutputFormat = OutputFormat.List });
        Assert.True(
            results.IsValid,
            string.Join('\n', (results.Details ?? []).Where(detail => detail.Errors is { Count: > 0 }).Select(detail => $"{detail.InstanceLocation}: {string.Join("; ", detail.Errors!.Values)}")) + "\n" + body);
    }

    private static JsonSchema SchemaOf(string component)
    {
        var schemas = Document.Value["components"]!["schemas"]!.ToJsonString().Replace("#/components/schemas/", "#/$defs/", StringComparison.Ordinal);
        return JsonSchema.FromText($$"""{ "$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": "#/$defs/{{component}}", "$defs": {{schemas}} }""");
    }
}
