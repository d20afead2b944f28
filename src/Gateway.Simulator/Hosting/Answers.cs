using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;

namespace Gateway.Simulator.Hosting;

/// <summary>Answers in one piece with a Content-Length, and the vendors' forms of errors.</summary>
internal static class Answers
{
    public const string Json = "application/json; charset=utf-8";

    public static Task SendAsync(HttpContext context, int status, ReadOnlyMemory<byte> body, string contentType = Json)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = contentType;
        context.Response.ContentLength = body.Length;
        return HttpMethods.IsHead(context.Request.Method)
            ? Task.CompletedTask
            : context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    public static Task SendJsonAsync<T>(HttpContext context, int status, T value) =>
        SendAsync(context, status, JsonSerializer.SerializeToUtf8Bytes(value, JsonSerializerOptions.Web));

    /// <summary>The form of an upstream's errors, also used for faults that give a status and no body.</summary>
    public static byte[] Error(string upstream, int status, string message) => upstream switch
    {
        Upstream.Billing => BillingError(status, message),
        Upstream.Paymentwall => PaymentwallError(status, message),
        _ => OAuthError(status switch
        {
            401 => "invalid_client",
            429 or 503 => "temporarily_unavailable",
            >= 500 => "server_error",
            _ => "invalid_request",
        }, message),
    };

    public static byte[] BillingError(int status, params string[] message) => JsonSerializer.SerializeToUtf8Bytes(
        new { statusCode = status, message, error = ReasonPhrases.GetReasonPhrase(status) });

    public static byte[] OAuthError(string error, string description) =>
        JsonSerializer.SerializeToUtf8Bytes(new { error, error_description = description });

    public static byte[] PaymentwallError(int code, string message) =>
        JsonSerializer.SerializeToUtf8Bytes(new { type = "Error", @object = "Error", error = message, code });
}
