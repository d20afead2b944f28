namespace Gateway.Admission;

internal static class AdmissionServiceCollectionExtensions
{
    public static IServiceCollection AddAdmission(this IServiceCollection services)
    {
        services.AddSingleton<RequestSlots>();
        return services;
    }
}
