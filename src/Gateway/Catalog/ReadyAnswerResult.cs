using System.IO.Pipelines;

namespace Gateway.Catalog;

/// <summary>Sends a ready answer, or the word that the client has it already.</summary>
internal sealed class ReadyAnswerResult(ReadyAnswer answer, CatalogHeaders headers, CatalogQuestion question, bool isHit) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext) =>
        WriteAsync(httpContext, answer, ContentCodings.Negotiate(httpContext.Request.Headers), headers, question, isHit);

    public static Task WriteAsync(HttpContext context, ReadyAnswer answer, ContentCoding coding, CatalogHeaders headers, CatalogQuestion question, bool isHit)
    {
        var (request, response) = (context.Request, context.Response);
        var etag = answer.ETag(coding);
        headers.Set(response, answer, etag, question, isHit);
        if (CatalogHeaders.IsNotModified(request, etag))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        var body = answer.Body(coding);
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = body.Length;
        if (coding.Name() is { } name)
        {
            response.Headers.ContentEncoding = name;
        }

        return HttpMethods.IsHead(request.Method) ? Task.CompletedTask : WriteAsync(response.BodyWriter, body);
    }

    /// <summary>To a client that has left it writes nothing, and ends.</summary>
    private static Task WriteAsync(PipeWriter writer, byte[] body)
    {
        var written = writer.WriteAsync(body);
        if (!written.IsCompletedSuccessfully)
        {
            return written.AsTask();
        }

        // It is there; a value task has to be asked for it all the same.
        _ = written.Result;
        return Task.CompletedTask;
    }
}
