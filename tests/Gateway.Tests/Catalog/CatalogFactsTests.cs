using Gateway.Catalog;
using Gateway.Telemetry;

namespace Gateway.Tests.Catalog;

public sealed class CatalogFactsTests
{
    [Theory]
    [InlineData("ready")]
    [InlineData("cached")]
    [InlineData("loaded")]
    public void Facts_are_what_they_were_made_of_and_the_same_for_the_same(string cache)
    {
        foreach (var completeness in new[] { "complete", "stale", "incomplete", "failed" })
        {
            var facts = CatalogFacts.Of(cache, completeness);

            Assert.Equal((cache, completeness), (facts.Cache, facts.Completeness));
            Assert.Same(facts, CatalogFacts.Of(cache, completeness));
        }
    }

    [Theory]
    [InlineData("warm", "complete")]
    [InlineData("loaded", "whole")]
    [InlineData("ready", "whole")]
    public void What_is_no_fact_is_never_taken_for_another(string cache, string completeness) =>
        Assert.ThrowsAny<ArgumentException>(() => CatalogFacts.Of(cache, completeness));

    [Fact]
    public void What_is_noted_of_a_ready_answer_costs_no_memory_while_nobody_listens()
    {
        Assert.False(Metrics.CatalogAnswers.Enabled);
        Note(100);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Note(10_000);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        static void Note(int times)
        {
            for (var time = 0; time < times; time++)
            {
                var facts = CatalogFacts.Of(CatalogFacts.Ready, "complete");
                Metrics.CatalogAnswers.Add(1, Metrics.Tag("completeness", facts.Completeness), Metrics.Tag("cache", facts.Cache));
                Metrics.CacheLookups.Add(1, Metrics.Tag("cache", "price"), Metrics.Tag("result", "memory"));
                _ = Metrics.Traces.StartActivity("catalog");
                Timeline.Current?.Add(Timeline.Cache, 0, 1);
            }
        }
    }
}
