using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>Both OpenAPI documents under the recommended rules of two public linters.</summary>
public sealed class OpenApiLinterTests(GatewayStack stack) : IClassFixture<GatewayStack>
{
    private static readonly string Folder = Path.Combine(Programs.Root, "tests", "Gateway.FunctionalTests", "OpenApiLinters");

    [Theory]
    [InlineData("/swagger/v1/swagger.json")]
    [InlineData("/admin/swagger.json")]
    public async Task Document_has_no_error_and_no_warning(string path)
    {
        Assert.SkipUnless(Directory.Exists(Path.Combine(Folder, "node_modules", "@redocly")), "The linters are not installed: ./dev test does it where there is npm.");
        var document = await stack.Gateway.GetAsync(path, ("X-Api-Key", GatewayProcess.AdminKey));
        var file = Path.Combine(Directory.CreateTempSubdirectory("gateway-openapi-").FullName, "openapi.json");
        await File.WriteAllTextAsync(file, document.Body, TestContext.Current.CancellationToken);

        Assert.StartsWith("3.1.", (string?)document.Json["openapi"], StringComparison.Ordinal);
        var (code, redocly) = await RunAsync("@redocly/cli/bin/cli.js", "lint", "--extends=recommended", "--format=json", file);
        Assert.True(code == 0 && redocly.Contains("\"errors\": 0", StringComparison.Ordinal) && redocly.Contains("\"warnings\": 0", StringComparison.Ordinal), redocly);
        (code, var spectral) = await RunAsync("@stoplight/spectral-cli/dist/index.js", "lint", "--ruleset=spectral.yaml", "--fail-severity=hint", file);
        Assert.True(code == 0, spectral);
        Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(string program, params string[] arguments)
    {
        await using var linter = ChildProcess.Start(
            "node",
            [Path.Combine("node_modules", program), .. arguments],
            [new("REDOCLY_TELEMETRY", "off"), new("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true")],
            Folder);
        return (await linter.ExitCodeAsync(TimeSpan.FromMinutes(2)), linter.Output);
    }
}
