using System.Globalization;
using System.Text.Json.Nodes;
using Gateway.Catalog;
using Gateway.Problems;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Gateway.Hosting;

/// <summary>The OpenAPI document at <c>/swagger/v1/swagger.json</c> and the page to try it at <c>/swagger</c>.</summary>
internal static class Swagger
{
    public static IServiceCollection AddGatewaySwagger(this IServiceCollection services)
    {
        services.AddOutputCache();
        services.AddEndpointsApiExplorer();
        services.AddSwaggerGen(options =>
        {
            options.SwaggerDoc("v1", new OpenApiInfo
            {
                Title = "Aggregation gateway",
                Version = "v1",
                Description = "One answer to \"what can this customer buy here, and what does it cost?\" for storefronts: the components "
                    + "of PrestaShop Billing products, each with Paymentwall's price for the customer's country.",
            });
            options.IncludeXmlComments(Path.Combine(AppContext.BaseDirectory, "Gateway.xml"));
            options.DocInclusionPredicate((_, operation) => operation.HttpMethod != HttpMethods.Head);
            options.SupportNonNullableReferenceTypes();
            options.NonNullableReferenceTypesAsRequired();
            options.UseAllOfToExtendReferenceSchemas();
            options.OperationFilter<CatalogOperations>();
            options.OperationFilter<ProblemResponses>();
            options.DocumentFilter<ProxiedOperations>();
        });
        return services;
    }

    /// <summary>Nothing of it is made before somebody asks: a start need not wait for what most replicas are never asked.</summary>
    public static void UseGatewaySwagger(this WebApplication app)
    {
        IApplicationBuilder root = app;
        app.Use(next =>
        {
            var page = new Lazy<RequestDelegate>(() =>
            {
                var builder = root.New();
                builder.UseOutputCache();
                builder.UseSwaggerUI(options =>
                {
                    options.DocumentTitle = "Aggregation gateway";
                    options.SwaggerEndpoint("v1/swagger.json", "v1");
                    options.DisplayRequestDuration();
                    options.DefaultModelsExpandDepth(0);
                    options.EnableTryItOutByDefault();
                });
                builder.Run(next);
                return builder.Build();
            });
            return context => context.Request.Path.StartsWithSegments("/swagger", StringComparison.OrdinalIgnoreCase) ? page.Value(context) : next(context);
        });

        // Kept once it is made: it is the same for everybody and takes longer to make than any other answer.
        var document = new Lazy<RequestDelegate>(() => root.New().UseSwagger().Build());
        app.MapMethods("/swagger/{documentName}/swagger.{extension:regex(^(json|ya?ml)$)}", [HttpMethods.Get, HttpMethods.Head], async context =>
            {
                // A path that the middleware does not take for its own is a 404 only where no route is said to have been found.
                var endpoint = context.GetEndpoint();
                context.SetEndpoint(null);
                await document.Value(context);
                context.SetEndpoint(endpoint);
            })
            .ExcludeFromDescription()
            .AllowAnonymous()
            .CacheOutput(cache => cache.Expire(TimeSpan.FromDays(1)).SetVaryByQuery([]).SetVaryByHost(enabled: false));
        app.MapGet("/", (HttpContext context) => TypedResults.Redirect(context.Request.PathBase + "/swagger")).AllowAnonymous().ExcludeFromDescription();
    }

    /// <summary>The catalog reads its query itself, so that a 400 can say what is allowed; here its table of parameters is shown.</summary>
    private sealed class CatalogOperations : IOperationFilter
    {
        public void Apply(OpenApiOperation operation, OperationFilterContext context)
        {
            if (context.ApiDescription.RelativePath is not ("catalog" or "catalog/{productId}") || context.ApiDescription.HttpMethod != HttpMethods.Get)
            {
                return;
            }

            operation.OperationId = context.ApiDescription.RelativePath == "catalog" ? "listCatalog" : "listProductCatalog";
            operation.Parameters ??= [];
            foreach (var parameter in operation.Parameters.OfType<OpenApiParameter>())
            {
                parameter.Description = "Billing product id: " + ProductId.Allowed + ".";
                parameter.Example = CatalogParameter.Product.Example;
            }

            var shown = operation.Parameters.Count > 0 ? CatalogParameter.All.Where(p => p != CatalogParameter.Product) : CatalogParameter.All;
            foreach (var parameter in shown)
            {
                operation.Parameters.Add(Describe(parameter));
            }

            if (operation.Responses?.TryGetValue("200", out var ok) == true)
            {
                ok.Description = "The catalog, complete or not: `completeness` says which.";
                foreach (var content in (ok.Content ?? new Dictionary<string, IOpenApiMediaType>()).Values.OfType<OpenApiMediaType>())
                {
                    content.Example = CatalogExample();
                }
            }
        }

        /// <summary>What <c>./dev run</c> really answers to one question; a test compares the two.</summary>
        private static JsonNode? CatalogExample()
        {
            using var stream = typeof(Swagger).Assembly.GetManifestResourceStream("Gateway.Hosting.catalog-example.json")!;
            return JsonNode.Parse(stream);
        }

        private static OpenApiParameter Describe(CatalogParameter parameter)
        {
            var value = new OpenApiSchema
            {
                Type = JsonSchemaType.String,
                Enum = parameter.Values?.Select(allowed => (JsonNode)allowed).ToList(),
            };
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
    }

    /// <summary>The calls that YARP forwards for anybody, which the API explorer does not see.</summary>
    private sealed class ProxiedOperations : IDocumentFilter
    {
        public void Apply(OpenApiDocument swaggerDoc, DocumentFilterContext context)
        {
            swaggerDoc.Paths["/billing/v1/products/{productId}/components"] = Path(
                "listBillingComponents",
                "Billing's own list of a product's components.",
                "Forwarded to Billing with the gateway's token; Billing's answer passes as it is.",
                "application/json",
                Parameter("productId", ParameterLocation.Path, "Billing product id.", "builtfor_example"),
                Parameter("filter_status", ParameterLocation.Query, "Billing status.", "active"),
                Parameter("lang_iso_code", ParameterLocation.Query, "Two-letter language.", "en"));
            swaggerDoc.Paths["/paymentwall/api/rest/product"] = Path(
                "getPaymentwallProduct",
                "Paymentwall's own details of a product.",
                "Signed and forwarded to Paymentwall; its answer passes as it is, `[]` for a product that is not sold there.",
                "application/json",
                Parameter("ag_external_id", ParameterLocation.Query, "Paymentwall product id (SKU), at most 256 characters.", "builtfor_example-pro-EUR-monthly", isRequired: true),
                Parameter("country_code", ParameterLocation.Query, "ISO 3166-1 alpha-2. Absent: as in the catalog.", "JP"),
                Parameter("callback", ParameterLocation.Query, "JSONP: a JavaScript identifier path of at most 128 characters.", example: null));
        }

        private static OpenApiPathItem Path(string id, string summary, string description, string mediaType, params OpenApiParameter[] parameters) => new()
        {
            Operations = new Dictionary<HttpMethod, OpenApiOperation>
            {
                [HttpMethod.Get] = new()
                {
                    OperationId = id,
                    Tags = new HashSet<OpenApiTagReference> { new("Proxied") },
                    Summary = summary,
                    Description = description,
                    Parameters = [.. parameters],
                    Responses = new OpenApiResponses
                    {
                        ["200"] = new OpenApiResponse
                        {
                            Description = "The upstream's answer.",
                            Content = new Dictionary<string, IOpenApiMediaType>(StringComparer.Ordinal) { [mediaType] = new OpenApiMediaType() },
                        },
                    },
                },
            },
        };

        private static OpenApiParameter Parameter(string name, ParameterLocation location, string description, string? example, bool isRequired = false) => new()
        {
            Name = name,
            In = location,
            Required = isRequired || location == ParameterLocation.Path,
            Description = description,
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            Example = example,
        };
    }

    /// <summary>Every problem with its codes, from the table itself.</summary>
    private sealed class ProblemResponses : IOperationFilter
    {
        public void Apply(OpenApiOperation operation, OperationFilterContext context)
        {
            foreach (var (status, response) in operation.Responses ?? [])
            {
                var problems = Problem.All.Where(problem => problem.Status.ToString(CultureInfo.InvariantCulture) == status).ToList();
                if (problems.Count == 0)
                {
                    continue;
                }

                response.Description = string.Join(" ", problems.Select(problem => $"`{problem.Code}`: {problem.Title}"));
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
    }
}
