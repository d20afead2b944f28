using Gateway.Configuration;

namespace Gateway.Hosting;

/// <summary>Checks the whole configuration before the host listens and says every error at once.</summary>
internal static class StartupValidation
{
    /// <summary>True if the configuration is sound; otherwise the errors have been written to <paramref name="output"/>.</summary>
    public static bool Passes(IServiceProvider services, TextWriter output)
    {
        var errors = services.GetServices<OptionsSection>()
            .SelectMany(section => section.Check(services))
            .Distinct(StringComparer.Ordinal)
            .ToList();
        if (errors.Count == 0)
        {
            return true;
        }

        output.WriteLine(errors.Count == 1 ? "The configuration has an error:" : $"The configuration has {errors.Count} errors:");
        foreach (var error in errors)
        {
            output.WriteLine("  " + error);
        }

        output.WriteLine("In the environment a key is written with double underscores: Paymentwall__ProjectKey.");
        return false;
    }
}
