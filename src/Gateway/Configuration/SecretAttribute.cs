namespace Gateway.Configuration;

/// <summary>An option that must not lie in <c>appsettings*.json</c>: it comes from the environment or from a file of its own.</summary>
/// <param name="mark">Only a value that contains this is a secret; empty: any.</param>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class SecretAttribute(string mark = "") : Attribute
{
    public string Mark => mark;
}
