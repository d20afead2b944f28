using Gateway.Admission;

namespace Gateway.Tests.Admission;

public sealed class AdmissionOptionsValidatorTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2_000)]
    [InlineData(100_000)]
    public void A_replica_may_take_on_one_request_or_very_many(int slots) => Assert.Null(Error(slots));

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(100_001)]
    public void None_or_no_bound_at_all_is_an_error_that_names_the_key(int slots) =>
        Assert.StartsWith("Security:MaxConcurrentRequests: ", Error(slots), StringComparison.Ordinal);

    private static string? Error(int slots) =>
        new AdmissionOptionsValidator().Validate(name: null, new AdmissionOptions { MaxConcurrentRequests = slots }).Failures?.Single();
}
