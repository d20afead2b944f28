using System.Globalization;
using System.Text.Json.Nodes;
using Gateway.Catalog;
using Gateway.Configuration;
using Gateway.Problems;
using Gateway.Security;
using Microsoft.AspNetCore.Authorization;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Gateway.Hosting;

/// <summary>
/// What the endpoints do not say of themselves: the operation's id, the parameters that a handler reads by itself, response headers, the
/// codes of problems and who may call.
/// </summary>
internal sealed class OpenApiOperations : IOperationFilter, IDocumentFilter
{
    private static readonly Dictionary<string, string> Ids = new(StringComparer.Ordinal)
    {
        ["catalog"] = "listCatalog",
        ["catalog/{productId}"] = "listProductCatalog",
        ["admin/cache/purge"] = "purgeCache",
        ["admin/price-drift"] = "getPriceDrift",
        ["health/details"] = "getHealthDetails",
    };

    private static readonly Dictionary<string, string> Tags = new(StringComparer.Ordinal)
    {
        ["Catalog"] = "What a customer can buy, with prices.",
        ["Proxied"] = "Calls that are forwarded to Billing and Paymentwall with the gateway's credentials.",
        ["Administration"] = "Operating one gateway; needs an API key with the role `admin`.",
    };

    private static readonly Dictionary<string, (JsonSchemaType Type, string Description)> Headers = new(StringComparer.Ordinal)
    {
        ["ETag"] = (JsonSchemaType.String, "Strong validator (RFC 9110), one for each content coding. Send it back in `If-None-Match`."),
        ["Cache-Control"] = (JsonSchemaType.String, "RFC 9111 and RFC 5861: `public, max-age=…, stale-while-revalidate=…, stale-if-error=…`; `private` or `no-store` for what is not for others."),
        ["Age"] = (JsonSchemaType.Integer, "Seconds since the answer was put together (RFC 9111)."),
        ["Vary"] = (JsonSchemaType.String, "Request headers that the answer may depend on."),
        ["Cache-Status"] = (JsonSchemaType.String, "RFC 9211: whether the gateway's cache had the answer."),
        ["Server-Timing"] = (JsonSchemaType.String, "Where the time went, in milliseconds."),
        ["Retry-After"] = (JsonSchemaType.Integer, "Seconds to wait before trying again."),
        ["RateLimit-Limit"] = (JsonSchemaType.Integer, "Calls that one client may make at once."),
        ["RateLimit-Remaining"] = (JsonSchemaType.Integer, "Calls that are left now."),
        ["RateLimit-Reset"] = (JsonSchemaType.Integer, "Seconds until a call is permitted again."),
        ["WWW-Authenticate"] = (JsonSchemaType.String, "The header that the key goes into."),
    };

    private static readonly string[] Validators = ["ETag", "Cache-Control", "Age", "Vary", "Cache-Status", "Server-Timing"];

    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        var path = context.ApiDescription.RelativePath ?? string.Empty;
        operation.OperationId = Ids.GetValueOrDefault(path);
        operation.Parameters ??= [];
        if (context.DocumentName == Roles.Admin)
        {
            DescribePurge(operation);
        }
        else
        {
            DescribeCatalog(operation, context);
        }

        // A catalog that needs no key takes one all the same: for another status, and to be counted by its name.
        var needsKey = context.ApiDescription.ActionDescriptor.EndpointMetadata.OfType<IAuthorizeData>().Any();
        operation.Security = Security(context.Document, needsKey);
        DescribeProblems(operation, context.Document);
    }

    public void Apply(OpenApiDocument swaggerDoc, DocumentFilterContext context)
    {
        if (context.DocumentName != Roles.Admin)
        {
            AddForwarded(swaggerDoc, context);
        }

        var used = swaggerDoc.Paths.Values.OfType<OpenApiPathItem>().SelectMany(path => path.Operations!.Values)
            .SelectMany(operation => operation.Tags!).Select(tag => tag.Reference.Id).ToHashSet(StringComparer.Ordinal);
        swaggerDoc.Tags = new HashSet<OpenApiTag>(Tags.Where(tag => used.Contains(tag.Key)).Select(tag => new OpenApiTag { Name = tag.Key, Description = tag.Value }));
    }

    /// <summary>The catalog reads its query itself, so that a 400 can say what is allowed; here its table of parameters is shown.</summary>
    private static void DescribeCatalog(OpenApiOperation operation, OperationFilterContext context)
    {
        foreach (var parameter in operation.Parameters!.OfType<OpenApiParameter>())
        {
            parameter.Description = "Billing product id: " + ProductId.Allowed + ".";
            parameter.Example = CatalogParameter.Product.Example;
        }

        var shown = operation.Parameters!.Count > 0 ? CatalogParameter.All.Where(p => p != CatalogParameter.Product) : CatalogParameter.All;
        foreach (var parameter in shown)
        {
            operation.Parameters.Add(Describe(parameter, context.SchemaRepository));
        }

        operation.Parameters.Add(new OpenApiParameter
        {
            Name = "If-None-Match",
            In = ParameterLocation.Header,
            Description = "`ETag` of the answer that the client has; 304 if it would be the same.",
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
        });
        if (operation.Responses?["200"] is OpenApiResponse ok)
        {
            ok.Description = "The catalog, complete or not: `completeness` says which.";
            ok.Headers = HeadersOf(context.Document, Validators);
            foreach (var content in (ok.Content ?? new Dictionary<string, IOpenApiMediaType>()).Values.OfType<OpenApiMediaType>())
            {
                content.Example = CatalogExample();
            }
        }

        if (operation.Responses?["304"] is OpenApiResponse notModified)
        {
            notModified.Description = "The client's answer is still the right one.";
            notModified.Headers = HeadersOf(context.Document, Validators);
        }
    }

    /// <summary>What <c>./dev run</c> really answers to one question; a test compares the two.</summary>
    private static JsonNode? CatalogExample()
    {
        using var stream = typeof(OpenApiOperations).Assembly.GetManifestResourceStream("Gateway.Hosting.catalog-example.json")!;
        return JsonNode.Parse(stream);
    }

    private static OpenApiParameter Describe(CatalogParameter parameter, SchemaRepository schemas)
    {
        var value = OpenApiSchemas.Of(parameter, schemas);
        JsonNode? example = parameter.Example;
        return new OpenApiParameter
        {
            Name = parameter.Name,
            In = ParameterLocation.Query,
            Description = $"{parameter.Description} Allowed: {parameter.Allowed}.",
            Schema = parameter.IsList ? new OpenApiSchema { Type = JsonSchemaType.Array, Items = value } : value,
            Style = parameter.IsList ? ParameterStyle.Form : null,
            Explode = !parameter.IsList,
            Example = parameter.IsList && example is not null ? new JsonArray(example) : example,
        };
    }

    private static void DescribePurge(OpenApiOperation operation)
    {
        if (operation.OperationId != "purgeCache")
        {
            return;
        }

        operation.Parameters =
        [
            Parameter("product", ParameterLocation.Query, "Purges what is cached of this Billing product.", example: null),
            Parameter("sku", ParameterLocation.Query, "Purges what is cached of this Paymentwall product.", example: null),
            Parameter("all", ParameterLocation.Query, "Purges everything. Exactly one of `product`, `sku` and `all` is required.", example: null, type: JsonSchemaType.Boolean),
            Parameter("hard", ParameterLocation.Query, "Deletes rather than marks stale.", example: null, type: JsonSchemaType.Boolean),
        ];
    }

    /// <summary>Every problem with its codes, from the table itself.</summary>
    private static void DescribeProblems(OpenApiOperation operation, OpenApiDocument document)
    {
        foreach (var (status, response) in (operation.Responses ?? []).Where(pair => pair.Value is OpenApiResponse).Select(pair => (pair.Key, (OpenApiResponse)pair.Value)))
        {
            var problems = Problem.All.Where(problem => problem.Status.ToString(CultureInfo.InvariantCulture) == status).ToList();
            if (problems.Count == 0)
            {
                continue;
            }

            response.Description = string.Join(" ", problems.Select(problem => $"`{problem.Code}`: {problem.Title}"));
            response.Headers = HeadersOf(document,
            [
                "Cache-Control",
                .. problems[0].IsRetriable ? ["Retry-After"] : Array.Empty<string>(),
                .. problems[0] == Problem.TooManyRequests ? ["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"] : Array.Empty<string>(),
                .. problems[0] == Problem.Unauthenticated ? ["WWW-Authenticate"] : Array.Empty<string>(),
            ]);
            foreach (var content in (response.Content ?? new Dictionary<string, IOpenApiMediaType>()).Values.OfType<OpenApiMediaType>())
            {
                content.Example = Example(problems[0]);
            }
        }
    }

    private static JsonObject Example(Problem problem)
    {
        var example = new JsonObject
        {
            ["type"] = problem.Type,
            ["title"] = problem.Title,
            ["status"] = problem.Status,
            ["code"] = problem.Code,
            ["traceId"] = "4bf92f3577b34da6a3ce929d0e0e4736",
        };
        if (problem == Problem.InvalidParameter)
        {
            example["detail"] = $"country has a value that is not allowed. Allowed: {CatalogParameter.Country.Allowed}.";
            example["parameter"] = CatalogParameter.Country.Name;
        }

        return example;
    }

    private static List<OpenApiSecurityRequirement> Security(OpenApiDocument document, bool isRequired)
    {
        var key = new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(ApiKeyHandler.SchemeName, document)] = [] };
        return isRequired ? [key] : [new OpenApiSecurityRequirement(), key];
    }

    /// <summary>References, with the components that they need.</summary>
    private static Dictionary<string, IOpenApiHeader> HeadersOf(OpenApiDocument document, IEnumerable<string> names)
    {
        var components = (document.Components ??= new OpenApiComponents()).Headers ??= new Dictionary<string, IOpenApiHeader>(StringComparer.Ordinal);
        var headers = new Dictionary<string, IOpenApiHeader>(StringComparer.Ordinal);
        foreach (var name in names)
        {
            components[name] = new OpenApiHeader { Description = Headers[name].Description, Schema = new OpenApiSchema { Type = Headers[name].Type } };
            headers[name] = new OpenApiHeaderReference(name, document);
        }

        return headers;
    }

    /// <summary>The calls that YARP forwards for anybody, which the API explorer does not see.</summary>
    private static void AddForwarded(OpenApiDocument document, DocumentFilterContext context)
    {
        var problem = context.SchemaGenerator.GenerateSchema(typeof(ProblemResponse), context.SchemaRepository);
        document.Paths["/billing/v1/products/{productId}/components"] = Path(
            "listBillingComponents",
            "Billing's own list of a product's components.",
            "Forwarded to Billing with the gateway's token; Billing's answer passes as it is.",
            Parameter("productId", ParameterLocation.Path, "Billing product id.", "builtfor_example"),
            Parameter("filter_status", ParameterLocation.Query, "Billing status.", "active"),
            Parameter("lang_iso_code", ParameterLocation.Query, "Two-letter language.", "en"));
        document.Paths["/paymentwall/api/rest/product"] = Path(
            "getPaymentwallProduct",
            "Paymentwall's own details of a product.",
            "Signed and forwarded to Paymentwall; its answer passes as it is, `[]` for a product that is not sold there.",
            Parameter("ag_external_id", ParameterLocation.Query, "Paymentwall product id (SKU), at most 256 characters.", "builtfor_example-pro-EUR-monthly", isRequired: true),
            Parameter("country_code", ParameterLocation.Query, "ISO 3166-1 alpha-2. Absent: as in the catalog.", "JP"),
            Parameter("callback", ParameterLocation.Query, "JSONP: a JavaScript identifier path of at most 128 characters.", example: null));

        OpenApiPathItem Path(string id, string summary, string description, params OpenApiParameter[] parameters)
        {
            var operation = new OpenApiOperation
            {
                OperationId = id,
                Tags = new HashSet<OpenApiTagReference> { new("Proxied", document) },
                Summary = summary,
                Description = description,
                Parameters = [.. parameters],
                Security = Security(document, isRequired: false),
                Responses = new OpenApiResponses
                {
                    ["200"] = new OpenApiResponse { Description = "The upstream's answer.", Content = Json("application/json", new OpenApiSchema()) },
                    ["default"] = new OpenApiResponse { Description = "Any other status of the upstream's, as it came." },
                },
            };
            foreach (var status in Problem.All.Where(IsOfForwarded).Select(row => row.Status).Distinct())
            {
                operation.Responses[status.ToString(CultureInfo.InvariantCulture)] = new OpenApiResponse { Content = Json("application/problem+json", problem) };
            }

            DescribeProblems(operation, document);
            return new OpenApiPathItem { Operations = new Dictionary<HttpMethod, OpenApiOperation> { [HttpMethod.Get] = operation } };
        }
    }

    private static bool IsOfForwarded(Problem problem) =>
        problem.Status is StatusCodes.Status400BadRequest or StatusCodes.Status404NotFound or StatusCodes.Status429TooManyRequests
            or StatusCodes.Status502BadGateway or StatusCodes.Status503ServiceUnavailable or StatusCodes.Status504GatewayTimeout;

    private static Dictionary<string, IOpenApiMediaType> Json(string mediaType, IOpenApiSchema schema) =>
        new(StringComparer.Ordinal) { [mediaType] = new OpenApiMediaType { Schema = schema } };

    private static OpenApiParameter Parameter(
        string name, ParameterLocation location, string description, string? example, bool isRequired = false, JsonSchemaType type = JsonSchemaType.String) =>
        new()
        {
            Name = name,
            In = location,
            Required = isRequired || location == ParameterLocation.Path,
            Description = description,
            Schema = new OpenApiSchema { Type = type },
            Example = example,
        };
}
