namespace Gateway.Catalog;

/// <summary>Sends a ready answer, or the word that the client has it already.</summary>
internal sealed class ReadyAnswerResult(ReadyAnswer answer, CatalogHeaders headers, bool isPrivate, bool isHit) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        var (request, response) = (httpContext.Request, httpContext.Response);
        var coding = ContentCodings.Negotiate(request.Headers);
        var etag = answer.ETag(coding);
        headers.Set(response, answer, etag, isPrivate, isHit);
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

        return HttpMethods.IsHead(request.Method)
            ? Task.CompletedTask
            : response.Body.WriteAsync(body, httpContext.RequestAborted).AsTask();
    }
}
