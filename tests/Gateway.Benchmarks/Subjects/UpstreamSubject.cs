using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Gateway.Benchmarks.Subjects;

/// <summary>
/// Billing and Paymentwall in their real formats, as fast as can be and checking nothing, so that they are not what is measured. The
/// wait before an answer and the number of components can be changed while it runs: <c>POST /control?latency=20&amp;components=12</c>,
/// also <c>reset=true</c> for the counters, which <c>GET /control</c> shows.
/// </summary>
internal sealed class UpstreamSubject
{
    private const string ListEnd = "/components";

    private static readonly byte[] Small = """{"object":"small","answer":"of any other path"}"""u8.ToArray();

    /// <summary>By the number in the SKU.</summary>
    private static readonly byte[][] Prices = [.. Enumerable.Range(0, 4_000).Select(Price)];

    private TimeSpan _latency;
    private Listing _listing;
    private long _lists;
    private long _prices;
    private long _others;

    private UpstreamSubject(int latency, int components)
    {
        _latency = TimeSpan.FromMilliseconds(latency);
        _listing = new Listing(components);
    }

    /// <summary><c>--port N [--latency MS] [--components N]</c>.</summary>
    public static Task RunAsync(Arguments arguments)
    {
        var upstream = new UpstreamSubject(arguments.Number("latency", 0), arguments.Number("components", 12));
        var app = BareHost.CreateBuilder(arguments.Number("port")).Build();
        app.Run(upstream.AnswerAsync);
        return BareHost.RunAsync(app);
    }

    /// <summary>What Paymentwall says of the SKU with this number.</summary>
    public static byte[] PriceBody(int number) => Prices[number];

    /// <summary>What Billing says of a product.</summary>
    public static byte[] ListBody(string product, int components) => Encoding.UTF8.GetBytes(ListText(product, components));

    /// <summary>The SKU of a component; its number stands before the currency.</summary>
    private static string SkuOf(string product, int number) => Invariant($"{product}-c{number}-EUR-monthly");

    private static byte[] Price(int number) => Encoding.UTF8.GetBytes(Invariant(
        $$"""{"object":"product","id":"product_{{100_000 + number}}","name":"Premium Access {{number}}","amount":"{{number + 1}}.99","currency":"USD","period_length":"1","period_type":"month","recurring":"1","trial":"0","post_trial_product_id":"","old_price":""}"""));

    private static string ListText(string product, int components)
    {
        var items = Enumerable.Range(0, components).Select(number => Invariant(
            $$"""{"id":"{{SkuOf(product, number)}}","productId":"{{product}}","componentGroupId":"{{product}}-c{{number}}","componentType":"plan","status":"active","isUsageBased":false,"pricingModel":"flat_fee","price":{{(number + 1) * 100}},"billingPeriodUnit":"month","trialPeriodValue":10,"trialPeriodUnit":"day","freeQuantity":0,"mandatoryComponentIds":[]}"""));
        return Invariant($$"""{"items":[{{string.Join(',', items)}}],"total":{{components}}}""");
    }

    private Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        if (path.StartsWith("/v1/products/", StringComparison.Ordinal) && path.EndsWith(ListEnd, StringComparison.Ordinal))
        {
            Interlocked.Increment(ref _lists);
            return LaterAsync(context, path["/v1/products/".Length..^ListEnd.Length]);
        }

        if (path.StartsWith("/api/rest/product", StringComparison.Ordinal))
        {
            Interlocked.Increment(ref _prices);
            return LaterAsync(context, product: null);
        }

        if (path == "/control")
        {
            return ControlAsync(context);
        }

        Interlocked.Increment(ref _others);
        return WriteAsync(context, Small);
    }

    private Task LaterAsync(HttpContext context, string? product)
    {
        return _latency == TimeSpan.Zero ? NowAsync() : WaitAsync();

        async Task WaitAsync()
        {
            await Task.Delay(_latency, TimeProvider.System);
            await NowAsync();
        }

        Task NowAsync() => product is null ? WriteAsync(context, Prices[NumberIn(context.Request.QueryString.Value)]) : _listing.WriteAsync(context, product);
    }

    /// <summary>The number in the SKU, wherever in the query that stands.</summary>
    private static int NumberIn(string? query)
    {
        var end = query is null ? -1 : query.IndexOf("-EUR-monthly", StringComparison.Ordinal);
        var start = end < 0 ? -1 : query!.LastIndexOf("-c", end, StringComparison.Ordinal) + 2;
        return start > 1 && int.TryParse(query.AsSpan(start, end - start), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number % Prices.Length : 0;
    }

    private static Task<FlushResult> WriteAsync(HttpContext context, byte[] body)
    {
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        return context.Response.BodyWriter.WriteAsync(body).AsTask();
    }

    private Task<FlushResult> ControlAsync(HttpContext context)
    {
        var query = context.Request.Query;
        if (HttpMethods.IsPost(context.Request.Method))
        {
            if (query.TryGetValue("latency", out var latency))
            {
                _latency = TimeSpan.FromMilliseconds(int.Parse(latency.ToString(), NumberStyles.None, CultureInfo.InvariantCulture));
            }

            if (query.TryGetValue("components", out var components))
            {
                _listing = new Listing(int.Parse(components.ToString(), NumberStyles.None, CultureInfo.InvariantCulture));
            }

            if (query.ContainsKey("reset"))
            {
                (_lists, _prices, _others) = (0, 0, 0);
            }
        }

        return WriteAsync(context, JsonSerializer.SerializeToUtf8Bytes(new UpstreamCalls(_lists, _prices, _others), JsonSerializerOptions.Web));
    }

    /// <summary>A list of components with the product's id left out, to be put in again and again.</summary>
    private sealed class Listing
    {
        private readonly byte[][] _pieces;
        private readonly int _length;

        public Listing(int components)
        {
            const string Product = "\u0001";
            _pieces = [.. ListText(Product, components).Split(Product).Select(Encoding.UTF8.GetBytes)];
            _length = _pieces.Sum(piece => piece.Length);
        }

        public async Task WriteAsync(HttpContext context, string product)
        {
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = _length + ((_pieces.Length - 1) * product.Length);
            Put(context.Response.BodyWriter, product);
            await context.Response.BodyWriter.FlushAsync();
        }

        private void Put(IBufferWriter<byte> writer, string product)
        {
            writer.Write(_pieces[0]);
            foreach (var piece in _pieces.AsSpan(1))
            {
                Encoding.UTF8.GetBytes(product, writer);
                writer.Write(piece);
            }
        }
    }
}
