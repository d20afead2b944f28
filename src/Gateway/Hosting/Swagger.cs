using Gateway.Configuration;
using Gateway.Observability;
using Gateway.Security;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Cors;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.Swagger;

namespace Gateway.Hosting;

/// <summary>
/// The OpenAPI 3.1 document at <c>/swagger/v1/swagger.json</c> and the page to try it at <c>/swagger</c>, for whoever
/// <c>Swagger:Access</c> says; the document of the administrative calls at <c>/admin/swagger.json</c>, for the role <c>admin</c>.
/// </summary>
internal static class Swagger
{
    private const string Public = "v1";

    public static IServiceCollection AddGatewaySwagger(this IServiceCollection services)
    {
        services.AddOptionsSection<SwaggerAccessOptions>(SwaggerAccessOptions.Section);
        services.AddOutputCache();
        services.AddEndpointsApiExplorer();
        services.AddSwaggerGen(options =>
        {
            options.SwaggerDoc(Public, Info(
                "Aggregation gateway",
                "One answer to \"what can this customer buy here, and what does it cost?\" for storefronts: the components "
                + "of PrestaShop Billing products, each with Paymentwall's price for the customer's country."));
            options.SwaggerDoc(Roles.Admin, Info("Aggregation gateway: administration", "Calls that operate one gateway. Each needs an API key with the role `admin`."));
            options.IncludeXmlComments(Path.Combine(AppContext.BaseDirectory, "Gateway.xml"));
            options.DocInclusionPredicate((document, operation) => operation.HttpMethod != HttpMethods.Head && (operation.GroupName ?? Public) == document);
            options.SupportNonNullableReferenceTypes();
            options.UseAllOfToExtendReferenceSchemas();
            options.AddSecurityDefinition(ApiKeyHandler.SchemeName, new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.ApiKey,
                In = ParameterLocation.Header,
                Name = ApiKeyHandler.HeaderName,
                Description = "A key that the operator of the gateway gave out. What it permits is its roles.",
            });
            options.SchemaFilter<OpenApiSchemas>();
            options.OperationFilter<OpenApiOperations>();
            options.DocumentFilter<OpenApiOperations>();
        });
        return services;
    }

    /// <summary>Nothing of it is made before somebody asks: a start need not wait for what most replicas are never asked.</summary>
    public static void UseGatewaySwagger(this WebApplication app)
    {
        var access = app.Services.GetRequiredService<IOptions<SwaggerAccessOptions>>().Value.Access;
        if (access == SwaggerAccess.Off)
        {
            return;
        }

        IApplicationBuilder root = app;
        app.Use(next =>
        {
            var page = new Lazy<RequestDelegate>(() =>
            {
                var builder = root.New();
                builder.UseOutputCache();
                builder.UseSwaggerUI(options =>
                {
                    options.DocumentTitle = "Aggregation gateway";
                    options.SwaggerEndpoint("v1/swagger.json", Public);
                    if (ManagementEndpoint.Port(app.Configuration) == 0)
                    {
                        options.SwaggerEndpoint("../admin/swagger.json", "administration (asks for a key)");
                    }

                    options.DisplayRequestDuration();
                    options.DefaultModelsExpandDepth(0);
                    options.EnableTryItOutByDefault();
                });
                builder.Run(next);
                return builder.Build();
            });
            return context =>
                !context.Request.Path.StartsWithSegments("/swagger", StringComparison.OrdinalIgnoreCase) ? next(context)
                : access == SwaggerAccess.Key && context.User.Identity is not { IsAuthenticated: true } ? context.ChallengeAsync()
                : page.Value(context);
        });

        // Kept once it is made: it is the same for everybody and takes longer to make than any other answer.
        foreach (var extension in new[] { "json", "yaml", "yml" })
        {
            app.MapMethods($"/swagger/{Public}/swagger.{extension}", [HttpMethods.Get, HttpMethods.Head], context => WriteAsync(context, Public, extension))
                .ExcludeFromDescription()
                .AllowAnonymous()
                .CacheOutput(cache => cache.Expire(TimeSpan.FromDays(1)).SetVaryByQuery([]).SetVaryByHost(enabled: false));
        }

        app.MapMethods(ApiKeyHandler.AdministrationDocument, [HttpMethods.Get, HttpMethods.Head], context => WriteAsync(context, Roles.Admin, "json"))
            .ExcludeFromDescription()
            .RequireAuthorization(Roles.Admin)
            .WithMetadata(new DisableCorsAttribute());
        app.MapGet("/", (HttpContext context) => TypedResults.Redirect(context.Request.PathBase + "/swagger")).AllowAnonymous().ExcludeFromDescription();
    }

    private static OpenApiInfo Info(string title, string description) => new()
    {
        Title = title,
        Version = OpenTelemetryExport.Version,
        Description = description,
        Contact = new OpenApiContact { Name = "The operator of this gateway" },
        License = new OpenApiLicense { Name = "Licence not stated", Identifier = "NOASSERTION" },
    };

    private static async Task WriteAsync(HttpContext context, string name, string extension)
    {
        // Below the prefix that the caller sees.
        var basePath = context.Request.PathBase.HasValue ? context.Request.PathBase.Value : "/";
        var document = await context.RequestServices.GetRequiredService<IAsyncSwaggerProvider>().GetSwaggerAsync(name, host: null, basePath);

        // Without this client's cancellation: others who asked at the same time get the same answer from the output cache.
        var (type, text) = extension == "json"
            ? ("application/json", await document.SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1, CancellationToken.None))
            : ("application/yaml", await document.SerializeAsYamlAsync(OpenApiSpecVersion.OpenApi3_1, CancellationToken.None));
        context.Response.ContentType = type + "; charset=utf-8";
        if (name == Roles.Admin)
        {
            context.Response.Headers.CacheControl = "no-store";
        }

        await context.Response.WriteAsync(text, CancellationToken.None);
    }
}
