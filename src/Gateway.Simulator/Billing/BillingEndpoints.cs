using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Simulator.Hosting;
using Microsoft.Extensions.Primitives;

namespace Gateway.Simulator.Billing;

/// <summary>
/// The vendor's routes that the gateway reads or forwards. Writes are answered, not remembered: they exist to be proxied.
/// </summary>
internal static class BillingEndpoints
{
    private static readonly string[] ComponentTypes = ["plan", "addon", "charge"];

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public static void Map(IEndpointRouteBuilder app, SimulatorState state)
    {
        app.MapMethods("/v1/products/{productId}/components", ["GET", "HEAD"], context => ListAsync(context, state));
        app.MapMethods(
            "/v1/products/{productId}/components/{componentId}", ["GET", "HEAD"], context => OneAsync(context, state));
        app.MapMethods(
            "/v1/customers/{shopId}/subscriptions/{productId}", ["GET", "HEAD"], context => SubscriptionAsync(context, state));
        app.MapMethods("/v1/subscriptions/{id}/items/{itemId}/quantity", ["PUT", "PATCH"], QuantityAsync);
    }

    /// <summary>Stands before every route, unknown ones too.</summary>
    public static async Task AuthenticateAsync(HttpContext context, RequestDelegate next, AccessTokenValidator validator)
    {
        if (await validator.ErrorAsync(context.Request.Headers.Authorization) is { } error)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer error=\"invalid_token\"";
            await RefuseAsync(context, 401, error);
            return;
        }

        await next(context);
    }

    private static async Task ListAsync(HttpContext context, SimulatorState state)
    {
        var product = Route(context, "productId");
        var query = context.Request.Query;
        if (QueryErrors(query) is { Count: > 0 } errors)
        {
            await RefuseAsync(context, 400, [.. errors]);
            return;
        }

        if (state.ProductOverrides.Find(product) is { } raw)
        {
            await Answers.SendAsync(context, 200, raw);
            return;
        }

        if (state.Components.Find(product, IsSandbox(context.Request)) is not { } components)
        {
            await RefuseAsync(context, 404, $"Product {product} not found");
            return;
        }

        var status = query["filter_status"].ToString();
        var type = query["filter_component_type"].ToString();
        BillingComponent[] items =
        [
            .. components.Where(c => (status.Length == 0 || c.Status == status) && (type.Length == 0 || c.ComponentType == type)),
        ];
        await Answers.SendAsync(context, 200, JsonSerializer.SerializeToUtf8Bytes(new { items, total = items.Length }, Json));
    }

    private static Task OneAsync(HttpContext context, SimulatorState state)
    {
        var product = Route(context, "productId");
        var id = Route(context, "componentId");
        return state.Components.Find(product, IsSandbox(context.Request))?.FirstOrDefault(c => c.Id == id) is { } component
            ? Answers.SendAsync(context, 200, JsonSerializer.SerializeToUtf8Bytes(component, Json))
            : RefuseAsync(context, 404, $"Component {id} of product {product} not found");
    }

    private static Task SubscriptionAsync(HttpContext context, SimulatorState state)
    {
        var product = Route(context, "productId");
        var shop = Route(context, "shopId");
        if (state.Components.Find(product, IsSandbox(context.Request)) is not { } components)
        {
            return RefuseAsync(context, 404, $"Product {product} not found");
        }

        return Answers.SendJsonAsync(context, 200, new
        {
            id = $"sub_{shop}_{product}",
            customerId = shop,
            productId = product,
            status = "active",
            items = new[] { new { id = "item_1", componentId = components[0].Id, quantity = 1 } },
        });
    }

    private static async Task QuantityAsync(HttpContext context)
    {
        JsonElement body;
        try
        {
            body = await JsonSerializer.DeserializeAsync<JsonElement>(context.Request.Body, Json, context.RequestAborted);
        }
        catch (JsonException)
        {
            await RefuseAsync(context, 400, "The body is not valid JSON");
            return;
        }

        var errors = new List<string>();
        var quantity = 0;
        if (body.ValueKind != JsonValueKind.Object || !body.TryGetProperty("quantity", out var number)
            || number.ValueKind != JsonValueKind.Number || !number.TryGetInt32(out quantity) || quantity < 0)
        {
            errors.Add("quantity must be an integer number, not less than 0");
        }

        if (HttpMethods.IsPatch(context.Request.Method)
            && (body.ValueKind != JsonValueKind.Object || !body.TryGetProperty("action", out var action)
                || action.ValueKind != JsonValueKind.String || action.GetString() != "SET"))
        {
            errors.Add("action must be one of the following values: SET");
        }

        await (errors.Count > 0
            ? RefuseAsync(context, 400, [.. errors])
            : Answers.SendJsonAsync(context, 200, new { item = new { quantity } }));
    }

    private static List<string> QueryErrors(IQueryCollection query)
    {
        var errors = new List<string>();
        void Check(string name, Func<string, bool> isValid, string rule)
        {
            if (query.TryGetValue(name, out var values) && !(values.Count == 1 && isValid(values.ToString())))
            {
                errors.Add($"{name} {rule}");
            }
        }

        Check("filter_status", value => value.Length > 0, "must be given once and not be empty");
        Check("filter_component_type", ComponentTypes.Contains, "must be one of the following values: plan, addon, charge");
        Check("lang_iso_code", IsLanguage, "must be a two-letter ISO 639-1 code");

        // One page of the vendor's documentation calls it so.
        Check("lang", IsLanguage, "must be a two-letter ISO 639-1 code");
        return errors;
    }

    private static bool IsLanguage(string value) => value.Length == 2 && value.All(char.IsAsciiLetter);

    private static bool IsSandbox(HttpRequest request)
    {
        static bool IsTrue(StringValues values) => string.Equals(values.ToString(), "true", StringComparison.OrdinalIgnoreCase);
        return IsTrue(request.Headers["sandbox"]) || IsTrue(request.Query["sandbox"]);
    }

    private static string Route(HttpContext context, string name) => (string)context.Request.RouteValues[name]!;

    private static Task RefuseAsync(HttpContext context, int status, params string[] messages) =>
        Answers.SendAsync(context, status, Answers.BillingError(status, messages));
}
