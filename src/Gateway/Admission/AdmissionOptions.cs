namespace Gateway.Admission;

/// <summary>How much one replica takes on. A key of the section <c>Security</c>.</summary>
internal sealed class AdmissionOptions
{
    public const string Section = "Security";

    /// <summary>Requests that wait for an upstream at the same time, per replica. Default 2,000, range 1 to 100,000.</summary>
    public int MaxConcurrentRequests { get; set; } = 2_000;
}
