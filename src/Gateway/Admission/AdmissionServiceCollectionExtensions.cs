using Gateway.Configuration;

namespace Gateway.Admission;

internal static class AdmissionServiceCollectionExtensions
{
    public static IServiceCollection AddAdmission(this IServiceCollection services)
    {
        services.AddOptionsSection<AdmissionOptions, AdmissionOptionsValidator>(AdmissionOptions.Section);
        services.AddSingleton<RequestSlots>();
        return services;
    }
}
