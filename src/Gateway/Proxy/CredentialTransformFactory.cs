using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Proxy;

/// <summary>
/// Makes the two names known to YARP's configuration: <c>{ "AccessToken": "true" }</c>, <c>{ "PaymentwallSignature": "true" }</c>. They
/// take no settings. What they do is added by <see cref="CredentialTransforms"/>, which YARP runs after everything a route lists,
/// so that nothing can change a request once it is signed.
/// </summary>
internal sealed class CredentialTransformFactory : ITransformFactory
{
    public bool Validate(TransformRouteValidationContext context, IReadOnlyDictionary<string, string> transformValues)
    {
        if (NameOf(transformValues) is not { } name)
        {
            return false;
        }

        if (transformValues.Count != 1 || !transformValues[name].Equals("true", StringComparison.OrdinalIgnoreCase))
        {
            context.Errors.Add(new InvalidOperationException($"Route '{context.Route.RouteId}': the transform {name} takes no settings; write {{ \"{name}\": \"true\" }}."));
        }

        return true;
    }

    public bool Build(TransformBuilderContext context, IReadOnlyDictionary<string, string> transformValues) => NameOf(transformValues) is not null;

    private static string? NameOf(IReadOnlyDictionary<string, string> values) =>
        values.Keys.FirstOrDefault(key =>
            key.Equals(CredentialRoute.AccessToken, StringComparison.OrdinalIgnoreCase)
            || key.Equals(CredentialRoute.PaymentwallSignature, StringComparison.OrdinalIgnoreCase));
}
