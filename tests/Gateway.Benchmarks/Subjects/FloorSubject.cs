using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Gateway.Benchmarks.Subjects;

/// <summary>
/// The barest C# that answers as the gateway does: <c>/warm</c> writes bytes that are ready, <c>/cold</c> lists, prices, merges and
/// writes once. No cache, no Redis, no deadline, no retry, no check of what comes in: what is left is what the work itself costs.
/// </summary>
internal sealed partial class FloorSubject : IDisposable
{
    /// <summary>About as long as a real one.</summary>
    public static readonly string Token = new('t', 800);

    private static readonly JsonEncodedText[] Months = [JsonEncodedText.Encode("month"), JsonEncodedText.Encode("P1M")];

    private readonly HttpClient _client;
    private readonly byte[] _warm;

    private FloorSubject(string upstream, byte[] warm)
    {
        _client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ActivityHeadersPropagator = null })
        {
            BaseAddress = new Uri(upstream),
        };
        _warm = warm;
    }

    /// <summary><c>--port N --upstream ADDRESS [--body FILE]</c>; the file is what <c>/warm</c> answers.</summary>
    public static async Task RunAsync(Arguments arguments)
    {
        using var floor = new FloorSubject(arguments.Text("upstream"), arguments.Find("body") is { } file ? await File.ReadAllBytesAsync(file) : []);
        var app = BareHost.CreateBuilder(arguments.Number("port")).Build();
        app.Run(floor.AnswerAsync);
        await BareHost.RunAsync(app);
    }

    public void Dispose() => _client.Dispose();

    private Task AnswerAsync(HttpContext context)
    {
        switch (context.Request.Path.Value)
        {
            case "/warm":
                var response = context.Response;
                response.ContentType = "application/json; charset=utf-8";
                response.ContentLength = _warm.Length;
                response.Headers.ETag = "\"0123456789abcdef0123456789abcdef\"";
                response.Headers.CacheControl = "public, max-age=60";
                return response.BodyWriter.WriteAsync(_warm).AsTask();
            case "/cold":
                var query = context.Request.Query;
                return ColdAsync(context, query["product"].ToString(), query["country"].ToString());
            default:
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return Task.CompletedTask;
        }
    }

    private async Task ColdAsync(HttpContext context, string product, string country)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/products/{product}/components?filter_status=active");
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + Token);
        var listing = await ReadAsync(request, FloorJson.Default.Listing);
        var prices = await Task.WhenAll(Array.ConvertAll(listing.Items, component => PriceAsync(component.Id, country)));
        var answer = new ArrayBufferWriter<byte>(1_024 * (listing.Items.Length + 1));
        await using (var writer = new Utf8JsonWriter(answer, new JsonWriterOptions { SkipValidation = true }))
        {
            Write(writer, country, listing.Items, prices);
        }

        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.ContentLength = answer.WrittenCount;
        await context.Response.BodyWriter.WriteAsync(answer.WrittenMemory);
    }

    private async Task<Price> PriceAsync(string sku, string country)
    {
        var signed = Encoding.UTF8.GetBytes($"ag_external_id={sku}country_code={country}key=demo-project-keysign_version=3demo-project-secret");
        var sign = Convert.ToHexStringLower(SHA256.HashData(signed));
        using var request = new HttpRequestMessage(
            HttpMethod.Get, $"/api/rest/product/?key=demo-project-key&ag_external_id={Uri.EscapeDataString(sku)}&country_code={country}&sign_version=3&sign={sign}");
        return await ReadAsync(request, FloorJson.Default.Price);
    }

    private async Task<T> ReadAsync<T>(HttpRequestMessage request, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseContentRead);
        return JsonSerializer.Deserialize(await response.Content.ReadAsByteArrayAsync(), type)!;
    }

    private static void Write(Utf8JsonWriter writer, string country, Component[] components, Price[] prices)
    {
        writer.WriteStartObject();
        writer.WriteStartObject("context"u8);
        writer.WriteString("country"u8, country);
        writer.WriteString("countrySource"u8, "query"u8);
        writer.WriteNull("lang"u8);
        writer.WriteBoolean("sandbox"u8, false);
        writer.WriteEndObject();
        writer.WriteStartObject("completeness"u8);
        writer.WriteBoolean("complete"u8, true);
        writer.WriteNumber("components"u8, components.Length);
        writer.WriteNumber("priced"u8, prices.Length);
        writer.WriteNumber("stale"u8, 0);
        writer.WriteNumber("notFound"u8, 0);
        writer.WriteNumber("unavailable"u8, 0);
        WriteEmptyArray(writer, "failedProducts"u8);
        writer.WriteEndObject();
        writer.WriteStartArray("items"u8);
        for (var index = 0; index < components.Length; index++)
        {
            WriteItem(writer, components[index], prices[index]);
        }

        writer.WriteEndArray();
        writer.WriteNumber("total"u8, components.Length);
        writer.WriteEndObject();
    }

    private static void WriteItem(Utf8JsonWriter writer, Component component, Price price)
    {
        writer.WriteStartObject();
        writer.WriteString("id"u8, component.Id);
        writer.WriteString("productId"u8, component.ProductId);
        writer.WriteString("groupId"u8, component.ComponentGroupId);
        writer.WriteString("type"u8, component.ComponentType);
        writer.WriteString("status"u8, component.Status);
        writer.WriteString("name"u8, price.Name);
        writer.WriteNull("description"u8);
        WriteEmptyArray(writer, "features"u8);
        writer.WriteStartObject("billing"u8);
        writer.WriteString("pricingModel"u8, component.PricingModel);
        writer.WriteBoolean("usageBased"u8, component.IsUsageBased);
        WriteMonth(writer, "period"u8);
        writer.WriteStartObject("trial"u8);
        writer.WriteString("unit"u8, component.TrialPeriodUnit);
        writer.WriteNumber("count"u8, component.TrialPeriodValue);
        writer.WriteString("iso"u8, string.Create(CultureInfo.InvariantCulture, $"P{component.TrialPeriodValue}D"));
        writer.WriteEndObject();
        writer.WriteNumber("freeQuantity"u8, component.FreeQuantity);
        WriteEmptyArray(writer, "mandatoryComponentIds"u8);
        WriteEmptyArray(writer, "tiers"u8);
        writer.WriteStartObject("listPrice"u8);
        writer.WriteNumber("amountMinor"u8, component.Price);
        writer.WriteString("amount"u8, (component.Price / 100m).ToString("0.00", CultureInfo.InvariantCulture));
        writer.WriteString("currency"u8, "EUR"u8);
        writer.WriteNumber("exponent"u8, 2);
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteStartObject("price"u8);
        writer.WriteString("status"u8, "live"u8);
        writer.WriteString("source"u8, "paymentwall"u8);
        writer.WriteString("sku"u8, component.Id);
        writer.WriteNumber("amountMinor"u8, (long)(decimal.Parse(price.Amount, CultureInfo.InvariantCulture) * 100));
        writer.WriteString("amount"u8, price.Amount);
        writer.WriteString("currency"u8, price.Currency);
        writer.WriteNumber("exponent"u8, 2);
        WriteMonth(writer, "period"u8);
        writer.WriteBoolean("recurring"u8, price.Recurring == "1");
        writer.WriteNull("trial"u8);
        writer.WriteNull("compareAt"u8);
        writer.WriteNull("asOf"u8);
        writer.WriteNull("reason"u8);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void WriteMonth(Utf8JsonWriter writer, ReadOnlySpan<byte> name)
    {
        writer.WriteStartObject(name);
        writer.WriteString("unit"u8, Months[0]);
        writer.WriteNumber("count"u8, 1);
        writer.WriteString("iso"u8, Months[1]);
        writer.WriteEndObject();
    }

    private static void WriteEmptyArray(Utf8JsonWriter writer, ReadOnlySpan<byte> name)
    {
        writer.WriteStartArray(name);
        writer.WriteEndArray();
    }

    private sealed record Listing(Component[] Items);

    private sealed record Component(
        string Id, string ProductId, string ComponentGroupId, string ComponentType, string Status, bool IsUsageBased, string PricingModel,
        long Price, long TrialPeriodValue, string TrialPeriodUnit, long FreeQuantity);

    private sealed record Price(string Name, string Amount, string Currency, string Recurring);

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    [JsonSerializable(typeof(Listing))]
    [JsonSerializable(typeof(Price))]
    private sealed partial class FloorJson : JsonSerializerContext;
}
