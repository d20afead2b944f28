using Gateway.Configuration;
using Gateway.Hosting;
using Gateway.Observability;

namespace Gateway.Tests.Hosting;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData]
    [InlineData("--check-config")]
    [InlineData("--check-config", "--online")]
    [InlineData("--check-health")]
    [InlineData("--urls", "http://127.0.0.1:0")]
    [InlineData("--urls=http://127.0.0.1:0", "--check-config")]
    [InlineData("--Catalog:DefaultCountry=US", "/Billing:Timeout=00:00:01", "Redis:KeyPrefix=a=b", "/Serilog:MinimumLevel", "Debug")]
    [InlineData("--catalog:products", "a,b", "--ENVIRONMENT", "Development")]
    public void What_is_known_is_no_error(params string[] args) => Assert.Empty(CommandLine.Errors(args));

    [Theory]
    [InlineData("--chek-config: there is no such argument; did you mean --check-config?", "--chek-config")]
    [InlineData("--chek-config: there is no such argument; did you mean --check-config?", "--chek-config", "--Catalog:DefaultCountry=US")]
    [InlineData("-check-config: there is no such argument; did you mean --check-config?", "-check-config")]
    [InlineData("check-config: there is no such argument; did you mean --check-config?", "check-config")]
    [InlineData("--onlin: there is no such argument; did you mean --online?", "--onlin", "--check-config")]
    [InlineData("--Catalgo:DefaultCountry: there is no such argument; did you mean Catalog?", "--Catalgo:DefaultCountry=US")]
    [InlineData("--port: there is no such argument; configuration is given as --Section:Key=value.", "--port", "8080")]
    [InlineData("--Catalog:DefaultCountry: needs a value; write --Catalog:DefaultCountry=value.", "--Catalog:DefaultCountry")]
    [InlineData("--online: goes together with --check-config.", "--online")]
    public void Anything_else_is_said_with_what_was_meant(string error, params string[] args) => Assert.Equal(error, CommandLine.Errors(args).First());

    [Fact]
    public void Help_names_every_switch_and_version_is_the_version()
    {
        Assert.All(["--check-config", "--online", "--check-health", "--version"], name => Assert.Contains(name, Told("--help"), StringComparison.Ordinal));
        Assert.Equal(OpenTelemetryExport.Version + Environment.NewLine, Told("--Catalog:DefaultCountry=US", "--version"));
        Assert.Null(Told("--check-config"));

        static string? Told(params string[] args)
        {
            using var output = new StringWriter();
            return CommandLine.IsTold(args, output) ? output.ToString() : null;
        }
    }

    [Fact]
    public void Switches_are_no_configuration() => Assert.Equal(["--urls=x"], CommandLine.Settings(["--check-config", "--urls=x", "--online"]));

    /// <summary>A section that is missing here would be refused on the command line.</summary>
    [Fact]
    public void Every_section_of_the_options_is_known()
    {
        var sections = typeof(OptionsSection).Assembly.GetTypes()
            .Where(type => type.Name.EndsWith("Options", StringComparison.Ordinal))
            .Select(type => type.GetField("Section")?.GetRawConstantValue()).OfType<string>().ToList();

        Assert.NotEmpty(sections);
        Assert.Subset(CommandLine.Sections.ToHashSet(StringComparer.Ordinal), sections.ToHashSet(StringComparer.Ordinal));
    }
}
