using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Gateway.Catalog;
using Gateway.Iso;
using Gateway.Problems;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Gateway.Hosting;

/// <summary>
/// The schemas of the responses as they go over the wire: what is always sent is required, what may be null says so in the form of
/// OpenAPI 3.1, and a closed set of texts is a component of its own.
/// </summary>
internal sealed class OpenApiSchemas : ISchemaFilter
{
    private static readonly ClosedSet ItemType = new("ItemType", "Types of component that Billing has.", CatalogParameter.Type.Values!);
    private static readonly ClosedSet PeriodUnit = new("PeriodUnit", "Units of a calendar period.", Period.Units);
    private static readonly ClosedSet PriceMode = new("PriceMode", "What a missing price means to the caller.", CatalogParameter.Prices.Values!);
    private static readonly ClosedSet PricingModel = new(
        "PricingModel", "How Billing computes an amount from a quantity.", ["flat_fee", "per_unit", "tiered", "volume", "stairstep"]);

    private static readonly ClosedSet ProblemCode = new("ProblemCode", "Every code that a problem of the gateway's own can have.", [.. Problem.All.Select(problem => problem.Code)]);

    private static readonly ClosedSet FailedProductCode = new(
        "FailedProductCode",
        "Why a product could not be listed; each is also a problem's code.",
        [.. Enum.GetValues<UpstreamFailure>().Select(failure => failure.ToProblem()).Prepend(Problem.ProductNotFound).Select(problem => problem.Code).Distinct(StringComparer.Ordinal)]);

    /// <summary>Texts of the responses that come from a closed set. Open: what an upstream says beyond it passes as it is.</summary>
    private static readonly Dictionary<(Type Type, string Property), (ClosedSet Set, bool IsOpen)> Texts = new()
    {
        [(typeof(CatalogItem), nameof(CatalogItem.Type))] = (ItemType, true),
        [(typeof(CatalogBilling), nameof(CatalogBilling.PricingModel))] = (PricingModel, true),
        [(typeof(CatalogFailedProduct), nameof(CatalogFailedProduct.Code))] = (FailedProductCode, false),
        [(typeof(Period), nameof(Period.Unit))] = (PeriodUnit, false),
        [(typeof(ProblemResponse), nameof(ProblemResponse.Code))] = (ProblemCode, false),
    };

    private static readonly Dictionary<CatalogParameter, ClosedSet> Parameters = new()
    {
        [CatalogParameter.Type] = ItemType,
        [CatalogParameter.Period] = PeriodUnit,
        [CatalogParameter.Prices] = PriceMode,
    };

    /// <summary>Schema of one value of a parameter.</summary>
    public static IOpenApiSchema Of(CatalogParameter parameter, SchemaRepository schemas) =>
        Parameters.TryGetValue(parameter, out var set) ? set.Reference(schemas)
        : new OpenApiSchema { Type = parameter == CatalogParameter.Sandbox ? JsonSchemaType.Boolean : JsonSchemaType.String };

    public void Apply(IOpenApiSchema schema, SchemaFilterContext context)
    {
        if (context.MemberInfo is not null || context.Type.Assembly != typeof(OpenApiSchemas).Assembly || schema is not OpenApiSchema { Properties: { } properties } definition)
        {
            return;
        }

        var nullability = new NullabilityInfoContext();
        definition.Required = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var member in context.Type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            var name = JsonNamingPolicy.CamelCase.ConvertName(member.Name);
            if (!properties.TryGetValue(name, out var found) || found is not OpenApiSchema property)
            {
                continue;
            }

            // What is left out where it is null is never null where it is not.
            var isOptional = member.GetCustomAttribute<JsonIgnoreAttribute>() is { Condition: JsonIgnoreCondition.WhenWritingNull };
            var isNullable = !isOptional && nullability.Create(member).ReadState == NullabilityState.Nullable;
            if (!isOptional)
            {
                definition.Required.Add(name);
            }

            if (member.DeclaringType == typeof(CatalogBilling) && member.Name == nameof(CatalogBilling.Tiers))
            {
                // Typed where all of them have that form, else as Billing sends them.
                property.Items = new OpenApiSchema { AnyOf = [context.SchemaGenerator.GenerateSchema(typeof(CatalogTier), context.SchemaRepository), new OpenApiSchema { Description = "As Billing sends it." }] };
            }

            properties[name] = Shape(property, Alternatives(property, (context.Type, member.Name), context.SchemaRepository), isNullable);
        }
    }

    /// <summary>The components that the property refers to; empty for what is described in place.</summary>
    private static List<IOpenApiSchema> Alternatives(OpenApiSchema property, (Type Type, string Property) member, SchemaRepository schemas)
    {
        if (Texts.TryGetValue(member, out var text))
        {
            return text.IsOpen ? [text.Set.Reference(schemas), new OpenApiSchema { Type = JsonSchemaType.String }] : [text.Set.Reference(schemas)];
        }

        return [.. property.AllOf ?? []];
    }

    private static IOpenApiSchema Shape(OpenApiSchema property, List<IOpenApiSchema> alternatives, bool isNullable)
    {
        if (alternatives.Count == 0)
        {
            property.Type = isNullable ? property.Type | JsonSchemaType.Null : property.Type & ~JsonSchemaType.Null;
            property.ReadOnly = false;
            return property;
        }

        if (isNullable)
        {
            alternatives.Add(new OpenApiSchema { Type = JsonSchemaType.Null });
        }

        if (alternatives is [OpenApiSchemaReference only])
        {
            only.Description = property.Description;
            return only;
        }

        return new OpenApiSchema { Description = property.Description, AnyOf = alternatives };
    }

    /// <summary>A component: texts of which a value is one.</summary>
    private sealed record ClosedSet(string Name, string Description, IReadOnlyList<string> Values)
    {
        public OpenApiSchemaReference Reference(SchemaRepository schemas)
        {
            if (!schemas.Schemas.ContainsKey(Name))
            {
                schemas.AddDefinition(Name, new OpenApiSchema { Type = JsonSchemaType.String, Description = Description, Enum = [.. Values.Select(value => (JsonNode)value)] });
            }

            return new OpenApiSchemaReference(Name);
        }
    }
}
