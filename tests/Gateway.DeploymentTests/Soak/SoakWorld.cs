namespace Gateway.DeploymentTests.Soak;

/// <summary>What Billing has, and what customers ask for.</summary>
/// <param name="Listings">By product, live or sandbox: the active components in Billing's order. A product that is not here does not exist.</param>
internal sealed record SoakWorld(IReadOnlyDictionary<(string Product, bool Sandbox), IReadOnlyList<SoakWorld.Component>> Listings)
{
    internal sealed record Component(string Id, string Type, string? Period);

    /// <summary>What the answer to a question must list of a product; null if there is no such product.</summary>
    public IEnumerable<string>? Expected(CatalogAsk ask, string product) =>
        Listings.GetValueOrDefault((product, ask.Sandbox))?
            .Where(component => (ask.Type is null || ask.Type.Split(',').Contains(component.Type))
                && (ask.Period is null || (component.Period is not null && ask.Period.Split(',').Contains(component.Period))))
            .Select(component => component.Id);
}
