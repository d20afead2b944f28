using Microsoft.Extensions.FileProviders;

namespace Gateway.Simulator.Hosting;

/// <summary>The storefront page of <c>wwwroot</c>, and <c>/storefront.json</c>, which tells it where the gateway is.</summary>
internal static class Storefront
{
    public static void Use(WebApplication app, SimulatorOptions options)
    {
        var gateway = options.GatewayAddress.TrimEnd('/');

        // No inline code or style, nothing from elsewhere, no frame around it; only the gateway may be asked.
        var policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            + $"connect-src 'self' {gateway}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        var files = new FileServerOptions
        {
            FileProvider = new PhysicalFileProvider(Path.Combine(AppContext.BaseDirectory, "wwwroot")),
        };
        files.StaticFileOptions.OnPrepareResponse = file =>
        {
            var headers = file.Context.Response.Headers;
            headers.ContentSecurityPolicy = policy;
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "no-referrer";

            // A page that is edited shows at the next reload.
            headers.CacheControl = "no-cache";
        };
        app.UseFileServer(files);
        app.Map("/storefront.json", branch => branch.Run(context => Answers.SendJsonAsync(context, 200, new { gateway })));
    }
}
