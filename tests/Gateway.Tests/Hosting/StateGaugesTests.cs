using Gateway.Tests.Catalog;
using Gateway.Tests.Observability;

namespace Gateway.Tests.Hosting;

/// <summary>The gauges, and what the counters are tagged with, over the life of a catalog answer.</summary>
public sealed class StateGaugesTests
{
    [Fact]
    public async Task The_gauges_say_what_is_so()
    {
        using var test = new CatalogUnderTest();
        using var metrics = new MetricRecorder();
        test.StateGauges.Register();
        metrics.Collect();
        Assert.Equal(0, metrics.Of("gateway.token.remaining")[^1]);
        var ages = metrics.Of("gateway.token.age").Count;

        await test.AskAsync();
        test.Time.Advance(TimeSpan.FromSeconds(30));
        metrics.Collect();

        Assert.Equal((ages + 1, 30), (metrics.Of("gateway.token.age").Count, metrics.Of("gateway.token.age")[^1]));
        Assert.Equal(TimeSpan.FromDays(1).TotalSeconds - 30, metrics.Of("gateway.token.remaining")[^1]);
        Assert.Equal(4, metrics.Of("gateway.cache.entries")[^1]);
        Assert.Equal(3, metrics.Of("gateway.cache.changes")[^1]);
        Assert.Equal((0, 0, 0), (metrics.Of("gateway.cache.loading")[^1], metrics.Of("gateway.requests.waiting")[^1], metrics.Of("gateway.redis.up")[^1]));
        Assert.True(metrics.Of("gateway.cache.size")[^1] > 500);
        Assert.Equal(["upstream=authorization", "upstream=billing", "upstream=paymentwall"], metrics.TagsOf("gateway.upstream.failing"));
        Assert.Equal(["upstream=billing", "upstream=paymentwall"], metrics.TagsOf("gateway.upstream.circuit.state"));
        Assert.Equal(0, metrics.Of("gateway.upstream.circuit.state", "upstream=billing")[^1]);
    }

    [Fact]
    public async Task A_cold_answer_looks_up_three_things_once_and_a_stale_one_asks_again_in_the_background()
    {
        using var test = new CatalogUnderTest();
        using var metrics = new MetricRecorder();
        await test.AskAsync();
        Assert.Equal(["cache=components,result=miss", "cache=price,result=miss"], metrics.TagsOf("gateway.cache.lookups"));
        Assert.Equal(1, metrics.Of("gateway.cache.lookups", "cache=components,result=miss").Sum());
        Assert.Equal(2, metrics.Of("gateway.cache.lookups", "cache=price,result=miss").Sum());

        test.Time.Advance(TimeSpan.FromMinutes(2));
        var version = test.Version;
        await test.AskAsync();
        await Quiet.UntilAsync(() => test.Version == version + 3);

        Assert.Equal(1, metrics.Of("gateway.cache.lookups", "cache=components,result=stale").Sum());
        Assert.Equal(2, metrics.Of("gateway.cache.lookups", "cache=price,result=stale").Sum());
        Assert.Equal(1, metrics.Of("gateway.cache.lookups", "cache=components,result=miss").Sum());
        Assert.Equal(2, metrics.Of("gateway.upstream.duration", "outcome=ok,upstream=billing").Count);
        Assert.Equal(4, metrics.Of("gateway.upstream.duration", "outcome=ok,upstream=paymentwall").Count);
    }
}
