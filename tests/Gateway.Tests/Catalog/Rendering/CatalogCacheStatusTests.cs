using Gateway.Catalog.Rendering;
using Gateway.Observability;

namespace Gateway.Tests.Catalog.Rendering;

public sealed class CatalogCacheStatusTests
{
    [Theory]
    [InlineData("ready")]
    [InlineData("cached")]
    [InlineData("loaded")]
    public void Facts_are_what_they_were_made_of_and_the_same_for_the_same(string cache)
    {
        foreach (var completeness in new[] { "complete", "stale", "incomplete", "failed" })
        {
            var facts = CatalogCacheStatus.Of(cache, completeness);

            Assert.Equal((cache, completeness), (facts.Cache, facts.Completeness));
            Assert.Same(facts, CatalogCacheStatus.Of(cache, completeness));
        }
    }

    [Theory]
    [InlineData("warm", "complete")]
    [InlineData("loaded", "whole")]
    [InlineData("ready", "whole")]
    public void What_is_no_fact_is_never_taken_for_another(string cache, string completeness) =>
        Assert.ThrowsAny<ArgumentException>(() => CatalogCacheStatus.Of(cache, completeness));

    [Fact]
    public void What_is_noted_of_a_ready_answer_costs_no_memory_while_nobody_listens()
    {
        Assert.False(Metrics.CatalogResponses.Enabled);
        Note(100);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Note(10_000);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        static void Note(int times)
        {
            for (var time = 0; time < times; time++)
            {
                var facts = CatalogCacheStatus.Of(CatalogCacheStatus.Ready, "complete");
                Metrics.CatalogResponses.Add(1, Metrics.Tag("completeness", facts.Completeness), Metrics.Tag("cache", facts.Cache));
                Metrics.CacheLookups.Add(1, Metrics.Tag("cache", "price"), Metrics.Tag("result", "memory"));
                _ = Metrics.Traces.StartActivity("catalog");
            }
        }
    }
}
