using Gateway.Hosting;

namespace Gateway.Tests.Hosting;

public sealed class RehearsalTests
{
    /// <summary>One that failed half way would prepare nothing, and nobody would notice.</summary>
    [Fact]
    public async Task It_gets_its_token_and_puts_its_answer_together() => Assert.True(await Rehearsal.RunAsync());
}
