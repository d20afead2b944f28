using System.Collections.Concurrent;
using Gateway.Observability;
using Gateway.Problems;
using Microsoft.Extensions.Options;

namespace Gateway.Upstreams.Paymentwall;

/// <summary>The Product Details API, typed. There is no batch call: one signed request per SKU and country.</summary>
internal sealed partial class PaymentwallClient(
    UpstreamTransport transport, IOptionsMonitor<PaymentwallOptions> options, ILogger<PaymentwallClient> logger)
{
    /// <summary>Fields that are remembered as said, so that each is said once per SKU; beyond this they are counted only.</summary>
    private const int MostUnreadable = 1_000;

    private readonly ConcurrentDictionary<(string Sku, string Field), bool> _unreadable = new();

    /// <summary>What opened the circuit; null while it is closed.</summary>
    public UpstreamFailure? CircuitCause => transport.CircuitCause;

    /// <summary>The product; a null value means that Paymentwall does not sell this SKU in this country.</summary>
    /// <param name="request">Which.</param>
    /// <param name="waits">Where is noted how long Paymentwall was waited for.</param>
    /// <param name="cancellationToken">The deadline of the load.</param>
    public async Task<UpstreamResult<PaymentwallProduct?>> GetProductAsync(PriceRequest request, RequestTimings waits, CancellationToken cancellationToken)
    {
        using var call = transport.Health.Begin();
        var read = Read(request, await transport.SendAsync("api/rest/product/?" + SignedQuery(request), [], waits, cancellationToken));
        call.End(read.Failure?.Name());
        return read;
    }

    private UpstreamResult<PaymentwallProduct?> Read(PriceRequest request, UpstreamResult<UpstreamResponse> result)
    {
        if (!result.TryGet(out var answer, out var failure))
        {
            return UpstreamResult.Failed<PaymentwallProduct?>(failure);
        }

        if (answer.Failure is { } refused)
        {
            if (PaymentwallPayload.Read(answer.Json).ErrorCode is { } code)
            {
                transport.Health.LastCause = $"error {code}";
            }

            Log.Refused(logger, transport.Health.FailureLevel, (int)answer.Status, request.Sku, request.Country);
            return UpstreamResult.Failed<PaymentwallProduct?>(refused);
        }

        var reading = PaymentwallPayload.Read(answer.Json);
        if (reading.Failure == UpstreamFailure.Rejected)
        {
            transport.Health.LastCause = $"error {reading.ErrorCode}";
            Log.RefusedBy(logger, transport.Health.FailureLevel, reading.ErrorCode, request.Sku, request.Country);
            return UpstreamResult.Failed<PaymentwallProduct?>(UpstreamFailure.Rejected);
        }

        if (reading.Failure is not null)
        {
            transport.Health.LastCause = UpstreamFailure.BadPayload.Name();
            Log.BadPayload(logger, transport.Health.FailureLevel, request.Sku, request.Country, answer.Body.Length);
            return UpstreamResult.Failed<PaymentwallProduct?>(UpstreamFailure.BadPayload);
        }

        foreach (var field in reading.Unreadable ?? [])
        {
            Metrics.UnreadableFields.Add(1, Metrics.Tag("field", field));
            if (_unreadable.Count < MostUnreadable && _unreadable.TryAdd((request.Sku, field), true))
            {
                Log.Unreadable(logger, field, request.Sku);
            }
        }

        return UpstreamResult.Of(reading.Product);
    }

    private string SignedQuery(PriceRequest request) => PaymentwallSignature.SignQuery(
        options.CurrentValue, [new("ag_external_id", request.Sku), new("country_code", request.Country)]);

    private static partial class Log
    {
        [LoggerMessage(EventId = 1201, Message = "Paymentwall answered {StatusCode} for SKU {Sku} in {Country}")]
        public static partial void Refused(ILogger logger, LogLevel level, int statusCode, string sku, string country);

        [LoggerMessage(EventId = 1202, Message = "Paymentwall's answer for SKU {Sku} in {Country} ({Bytes} bytes) is not of the documented shape")]
        public static partial void BadPayload(ILogger logger, LogLevel level, string sku, string country, int bytes);

        [LoggerMessage(EventId = 1203, Message = "Paymentwall refused SKU {Sku} in {Country} with its error {ErrorCode}")]
        public static partial void RefusedBy(ILogger logger, LogLevel level, long? errorCode, string sku, string country);

        [LoggerMessage(1204, LogLevel.Warning, "Paymentwall's {Field} of SKU {Sku} cannot be read and is left out")]
        public static partial void Unreadable(ILogger logger, string field, string sku);
    }
}

/// <summary>Which SKU in which country: everything that Paymentwall's answer depends on.</summary>
/// <param name="Sku">The merchant's product id (<c>ag_external_id</c>).</param>
/// <param name="Country">ISO 3166-1 alpha-2. Never left out: Paymentwall would take the data centre's.</param>
internal sealed record PriceRequest(string Sku, string Country);
