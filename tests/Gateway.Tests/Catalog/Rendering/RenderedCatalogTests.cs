using System.IO.Compression;
using System.Text;
using Gateway.Catalog;
using Gateway.Catalog.Rendering;
using Gateway.Problems;
using Gateway.Upstreams.Paymentwall;

namespace Gateway.Tests.Catalog.Rendering;

public sealed class RenderedCatalogTests
{
    private static readonly TimeSpan Now = TimeSpan.FromDays(3);

    [Fact]
    public void Each_coding_has_a_strong_tag_of_its_own()
    {
        var answer = Answer();
        string[] tags = [.. Enum.GetValues<ContentCoding>().Select(answer.ETag)];

        Assert.Equal(3, tags.Distinct(StringComparer.Ordinal).Count());
        Assert.All(tags, tag => Assert.Matches("^\"[0-9a-f]{32}(-gzip|-br)?\"$", tag));
    }

    [Fact]
    public void The_same_response_has_the_same_tag_and_bytes_and_another_has_others()
    {
        var (first, second, other) = (Answer(), Answer(now: Now + TimeSpan.FromMinutes(1)), Answer(Given.Found(Given.Product("10.00"))));

        Assert.All(Enum.GetValues<ContentCoding>(), coding =>
        {
            Assert.Equal(first.ETag(coding), second.ETag(coding));
            Assert.Equal(first.Body(coding), second.Body(coding));
            Assert.NotEqual(first.ETag(coding), other.ETag(coding));
        });
    }

    [Fact]
    public void A_label_changes_the_tag()
    {
        var product = Given.Product();

        Assert.NotEqual(
            Answer(Given.Found(product)).ETag(ContentCoding.Identity),
            Answer(UpstreamResult.Of<PaymentwallProduct?>(product, DateTimeOffset.UnixEpoch)).ETag(ContentCoding.Identity));
    }

    [Fact]
    public void What_is_compressed_is_the_plain_body()
    {
        var answer = Answer(components: 200);

        Assert.Equal(answer.Identity, Inflate(new GZipStream(new MemoryStream(answer.Body(ContentCoding.Gzip)), CompressionMode.Decompress)));
        Assert.Equal(answer.Identity, Inflate(new BrotliStream(new MemoryStream(answer.Body(ContentCoding.Brotli)), CompressionMode.Decompress)));
        Assert.Same(answer.Identity, answer.Body(ContentCoding.Identity));
        Assert.Same(answer.Body(ContentCoding.Gzip), answer.Body(ContentCoding.Gzip));
        Assert.InRange(answer.Body(ContentCoding.Gzip).Length, 1, answer.Identity.Length / 4);
        Assert.InRange(answer.Body(ContentCoding.Brotli).Length, 1, answer.Identity.Length / 4);
        Assert.StartsWith("{\"context\":{", Encoding.UTF8.GetString(answer.Identity), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(60)]
    [InlineData(5)]
    [InlineData(1)]
    public void A_complete_answer_of_fresh_parts_lasts_as_long_as_the_first_of_them(int seconds)
    {
        var answer = Answer(fresh: TimeSpan.FromSeconds(seconds));

        Assert.True(answer.IsCompleteAndFresh);
        Assert.Equal(TimeSpan.FromSeconds(seconds), answer.FreshFor);
        Assert.Equal(Now + TimeSpan.FromSeconds(seconds), answer.UsableUntil);
        Assert.Equal(Now, answer.BuiltAt);
    }

    [Theory]
    [InlineData(60, 5)]
    [InlineData(5, 5)]
    [InlineData(2, 2)]
    public void An_incomplete_answer_lasts_5_s_at_most(int seconds, int lasts)
    {
        var answer = Answer(Given.Failed(UpstreamFailure.Timeout), fresh: TimeSpan.FromSeconds(seconds));

        Assert.False(answer.IsCompleteAndFresh);
        Assert.Equal(TimeSpan.FromSeconds(lasts), answer.FreshFor);
        Assert.Equal(Now + TimeSpan.FromSeconds(lasts), answer.UsableUntil);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(-3600, true)]
    [InlineData(0, false)]
    public void An_answer_of_stale_parts_is_never_fresh_and_kept_for_5_s_at_most(int seconds, bool isComplete)
    {
        var answer = Answer(isComplete ? null : Given.Failed(UpstreamFailure.Timeout), fresh: TimeSpan.FromSeconds(seconds));

        Assert.False(answer.IsCompleteAndFresh);
        Assert.Equal(TimeSpan.Zero, answer.FreshFor);
        Assert.Equal(Now + TimeSpan.FromSeconds(5), answer.UsableUntil);
    }

    [Fact]
    public void A_price_that_does_not_exist_does_not_make_an_answer_incomplete() => Assert.True(Answer(Given.NotFound()).IsCompleteAndFresh);

    private static RenderedCatalog Answer(
        UpstreamResult<PaymentwallProduct?>? price = null, TimeSpan? fresh = null, TimeSpan? now = null, int components = 1)
    {
        var at = now ?? Now;
        var response = CatalogMerge.Merge(
            Given.Request(),
            [new ProductListing("p", [.. Enumerable.Range(0, components).Select(_ => Given.Component())])],
            new Dictionary<string, UpstreamResult<PaymentwallProduct?>>(StringComparer.Ordinal) { ["c"] = price ?? Given.Found(Given.Product()) },
            Given.Rules());
        return new RenderedCatalog(
            new AggregationResult(response, Problem: null, at + (fresh ?? TimeSpan.FromMinutes(1)), Loaded: false, Parts: []), response, at, epoch: 4);
    }

    private static byte[] Inflate(Stream stream)
    {
        using var inflated = new MemoryStream();
        using (stream)
        {
            stream.CopyTo(inflated);
        }

        return inflated.ToArray();
    }
}
