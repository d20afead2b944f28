namespace Gateway.Configuration;

/// <summary>Section <c>Swagger</c>: who may read what the API is like.</summary>
internal sealed class SwaggerAccessOptions
{
    public const string Section = "Swagger";

    /// <summary>
    /// <c>open</c> (default): everybody; the document tells nothing that the answers do not, and administration is in another one, which
    /// always needs a key. <c>key</c>: whoever has an API key. <c>off</c>: nobody, and <c>/</c> is a 404.
    /// </summary>
    public SwaggerAccess Access { get; set; } = SwaggerAccess.Open;
}

/// <summary>Who may read the OpenAPI document and the page made of it.</summary>
internal enum SwaggerAccess
{
    Open,
    Key,
    Off,
}
