using Gateway.Configuration;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace Gateway.Security;

/// <summary>
/// Headers that every answer carries, whoever makes it: set at the last moment, so that clearing a response that went wrong does not
/// lose them.
/// </summary>
internal sealed class SecurityHeaders
{
    /// <summary>Answers are data; none of them is a page that loads, frames or runs anything.</summary>
    private const string DataPolicy = "default-src 'none'; frame-ancestors 'none'";

    /// <summary>Swagger UI: its own scripts, its own and inline styles, images in data addresses.</summary>
    private const string PagePolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

    private readonly bool _varyByOrigin;
    private Tuple<string, string>? _vary;

    public SecurityHeaders(IOptions<SecurityOptions> security)
    {
        _varyByOrigin = security.Value.Cors.Origins.Count > 0;
        OnStarting = context =>
        {
            Set((HttpContext)context);
            return Task.CompletedTask;
        };
    }

    /// <summary>For <see cref="HttpResponse.OnStarting(Func{object, Task}, object)"/>, with the context.</summary>
    public Func<object, Task> OnStarting { get; }

    /// <summary>For an answer that is data, whose own headers are set.</summary>
    public void SetForData(IHeaderDictionary headers) => Set(headers, DataPolicy);

    private void Set(HttpContext context) => Set(
        context.Response.Headers,
        context.Request.Path.StartsWithSegments("/swagger", StringComparison.OrdinalIgnoreCase) ? PagePolicy : DataPolicy);

    private void Set(IHeaderDictionary headers, string policy)
    {
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = policy;
        if (_varyByOrigin)
        {
            headers.Vary = WithOrigin(headers.Vary);
        }
    }

    /// <summary>The catalog's <c>Vary</c> is always the same text, so it is joined once.</summary>
    private StringValues WithOrigin(StringValues vary)
    {
        if (vary.Count != 1 || vary[0] is not { Length: > 0 } only)
        {
            return vary.Count == 0 || vary is [""] ? "Origin" : StringValues.Concat(vary, "Origin");
        }

        var joined = _vary;
        if (joined is null || !ReferenceEquals(joined.Item1, only))
        {
            _vary = joined = Tuple.Create(
                only, only.Split(',', StringSplitOptions.TrimEntries).Any(name => name is "*" || name.Equals("Origin", StringComparison.OrdinalIgnoreCase)) ? only : only + ", Origin");
        }

        return joined.Item2;
    }
}
