using Microsoft.Extensions.Options;

namespace Gateway.Upstreams.Paymentwall;

/// <summary>The Product Details API, typed. There is no batch call: one signed request per SKU and country.</summary>
internal sealed partial class PaymentwallClient(
    UpstreamTransport transport, IOptions<PaymentwallOptions> options, ILogger<PaymentwallClient> logger)
{
    /// <summary>The product; a null value means that Paymentwall does not sell this SKU in this country.</summary>
    public async Task<UpstreamResult<PaymentwallProduct?>> GetProductAsync(PriceQuestion question, CancellationToken cancellationToken)
    {
        using var call = transport.Health.Begin();
        var read = Read(question, await transport.SendAsync("api/rest/product/?" + SignedQuery(question), [], cancellationToken));
        call.End(read.Failure?.Name());
        return read;
    }

    private UpstreamResult<PaymentwallProduct?> Read(PriceQuestion question, UpstreamResult<UpstreamAnswer> result)
    {
        if (!result.TryGet(out var answer, out var failure))
        {
            return UpstreamResult.Failed<PaymentwallProduct?>(failure);
        }

        if (answer.Failure is { } refused)
        {
            Log.Refused(logger, (int)answer.Status, question.Sku, question.Country);
            return UpstreamResult.Failed<PaymentwallProduct?>(refused);
        }

        if (!PaymentwallPayload.TryRead(answer.Json, out var product))
        {
            Log.BadPayload(logger, question.Sku, question.Country, answer.Body.Length);
            return UpstreamResult.Failed<PaymentwallProduct?>(UpstreamFailure.BadPayload);
        }

        return UpstreamResult.Of(product);
    }

    private string SignedQuery(PriceQuestion question)
    {
        // Once: they change together.
        var project = options.Value;
        var version = project.SignatureVersion == 3 ? "3" : "2";
        var sign = PaymentwallSignature.Compute(
            [
                new("key", project.ProjectKey),
                new("ag_external_id", question.Sku),
                new("country_code", question.Country),
                new("sign_version", version),
            ],
            project.SecretKey,
            project.SignatureVersion);
        return $"key={Uri.EscapeDataString(project.ProjectKey)}&ag_external_id={Uri.EscapeDataString(question.Sku)}"
            + $"&country_code={Uri.EscapeDataString(question.Country)}&sign_version={version}&sign={sign}";
    }

    private static partial class Log
    {
        [LoggerMessage(1201, LogLevel.Warning, "Paymentwall answered {StatusCode} for SKU {Sku} in {Country}")]
        public static partial void Refused(ILogger logger, int statusCode, string sku, string country);

        [LoggerMessage(1202, LogLevel.Warning, "Paymentwall's answer for SKU {Sku} in {Country} ({Bytes} bytes) is not of the documented shape")]
        public static partial void BadPayload(ILogger logger, string sku, string country, int bytes);
    }
}
