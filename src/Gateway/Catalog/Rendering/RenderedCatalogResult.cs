using System.IO.Pipelines;
using Gateway.Observability;

namespace Gateway.Catalog.Rendering;

/// <summary>Writes a rendered catalog, or 304 where the client has it already: the one place where that is done.</summary>
internal sealed class RenderedCatalogResult(RenderedCatalog catalog, CatalogRequest request, CatalogHeaders headers, string cache) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext) =>
        WriteAsync(httpContext, catalog, request, ContentCodings.Negotiate(httpContext.Request.Headers), headers, cache);

    /// <param name="context">The request.</param>
    /// <param name="catalog">What is written.</param>
    /// <param name="request">What was asked for.</param>
    /// <param name="coding">The content coding of the body.</param>
    /// <param name="headers">The caching headers.</param>
    /// <param name="cache">As <see cref="CatalogCacheStatus.Cache"/>.</param>
    public static Task WriteAsync(
        HttpContext context, RenderedCatalog catalog, CatalogRequest request, ContentCoding coding, CatalogHeaders headers, string cache)
    {
        var response = context.Response;
        var etag = catalog.ETag(coding);
        CatalogCacheStatus.Of(cache, catalog.Completeness).Record(context);
        headers.Set(response, catalog, etag, request, isHit: cache != CatalogCacheStatus.Loaded);
        if (cache == CatalogCacheStatus.Ready)
        {
            response.Headers[RequestTimings.HeaderName] = "cache;desc=\"hit\"";
        }

        if (CatalogHeaders.IsNotModified(context.Request, etag))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        var body = catalog.Body(coding);
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = body.Length;
        if (coding.Name() is { } name)
        {
            response.Headers.ContentEncoding = name;
        }

        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : WriteAsync(response.BodyWriter, body);
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
