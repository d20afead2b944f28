using System.Globalization;
using System.IO.Compression;
using System.Net;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>The caching headers of the contract, as a browser or a CDN sees them.</summary>
public sealed class CachingHeadersTests(GatewayStack stack) : IClassFixture<GatewayStack>, IAsyncLifetime
{
    private const string Catalog = "/catalog?product=builtfor_example&country=FR";

    private GatewayProcess Gateway => stack.Gateway;

    public async ValueTask InitializeAsync() => await stack.ResetAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task First_answer_is_stored_and_the_second_is_a_hit()
    {
        var first = await Gateway.GetAsync(Catalog);
        var second = await Gateway.GetAsync(Catalog);

        Assert.Equal("gateway; fwd=miss; stored", first.Headers["Cache-Status"]);
        Assert.Matches(@"^gateway; hit; ttl=\d+$", second.Headers["Cache-Status"]);
        Assert.Equal(first.Headers["ETag"], second.Headers["ETag"]);
        Assert.Equal(first.Body, second.Body);
        Assert.Matches("^public, max-age=(59|60|29|30), stale-while-revalidate=60, stale-if-error=86400$", second.Headers["Cache-Control"]);
        Assert.Equal("Accept-Encoding, sandbox", second.Headers["Vary"]);
        Assert.InRange(int.Parse(second.Headers["Age"], CultureInfo.InvariantCulture), 0, 5);
    }

    [Fact]
    public async Task Each_content_coding_has_a_strong_etag_of_its_own_and_decodes_to_the_same_bytes()
    {
        var identity = await Gateway.GetAsync(Catalog);
        var bodies = new Dictionary<string, string>();
        foreach (var coding in new[] { "gzip", "br" })
        {
            using var client = new HttpClient { BaseAddress = Gateway.Address };
            client.DefaultRequestHeaders.Add("Accept-Encoding", coding);
            using var response = await client.GetAsync(Catalog, TestContext.Current.CancellationToken);
            Assert.Equal(coding, Assert.Single(response.Content.Headers.ContentEncoding));
            Assert.False(response.Headers.ETag!.IsWeak);
            bodies.Add(coding, response.Headers.ETag.Tag);
            await using var raw = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
            await using Stream decoder = coding == "br" ? new BrotliStream(raw, CompressionMode.Decompress) : new GZipStream(raw, CompressionMode.Decompress);
            using var reader = new StreamReader(decoder);
            Assert.Equal(identity.Body, await reader.ReadToEndAsync(TestContext.Current.CancellationToken));
        }

        Assert.Equal(3, new HashSet<string>([identity.Headers["ETag"], .. bodies.Values]).Count);
    }

    [Theory]
    [InlineData("{0}")]
    [InlineData("W/{0}")]
    [InlineData("\"other\", {0}")]
    [InlineData("*")]
    public async Task Etag_that_the_client_has_is_answered_304_to_get_and_head(string ifNoneMatch)
    {
        var answer = await Gateway.GetAsync(Catalog);
        var header = ("If-None-Match", string.Format(CultureInfo.InvariantCulture, ifNoneMatch, answer.Headers["ETag"]));

        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Head })
        {
            var notModified = await Gateway.SendAsync(method, Catalog, header);

            Assert.Equal(HttpStatusCode.NotModified, notModified.Status);
            Assert.Empty(notModified.Body);
            foreach (var name in new[] { "ETag", "Cache-Control", "Vary" })
            {
                Assert.Equal(answer.Headers[name], notModified.Headers[name]);
            }
        }
    }

    [Fact]
    public async Task Etag_of_another_answer_or_coding_is_answered_in_full()
    {
        var etag = (await Gateway.GetAsync(Catalog)).Headers["ETag"];

        Assert.Equal(HttpStatusCode.OK, (await Gateway.GetAsync(Catalog, ("If-None-Match", "\"other\""))).Status);
        Assert.Equal(HttpStatusCode.OK, (await Gateway.GetAsync(Catalog, ("If-None-Match", etag), ("Accept-Encoding", "gzip"))).Status);
        Assert.Equal(HttpStatusCode.OK, (await Gateway.GetAsync(Catalog, ("If-None-Match", "rubbish"))).Status);
    }

    [Fact]
    public async Task Head_has_the_headers_of_get()
    {
        var get = await Gateway.GetAsync(Catalog);
        var head = await Gateway.SendAsync(HttpMethod.Head, Catalog);

        foreach (var name in new[] { "ETag", "Cache-Control", "Vary", "Content-Type", "Content-Length" })
        {
            Assert.Equal(get.Headers[name], head.Headers[name]);
        }
    }

    [Fact]
    public async Task Sandbox_and_what_needs_a_key_are_never_shared()
    {
        Assert.Equal("private, no-store", (await Gateway.GetAsync(Catalog + "&sandbox=true")).Headers["Cache-Control"]);
        var archived = await Gateway.GetAsync(Catalog + "&status=archived", ("X-Api-Key", GatewayProcess.ProxyKey));
        Assert.Equal((HttpStatusCode.OK, "private, no-store"), (archived.Status, archived.Headers["Cache-Control"]));
        Assert.Equal("builtfor_example-legacy-EUR-monthly", (string?)Assert.Single(archived.Items)!["id"]);
        Assert.Equal(HttpStatusCode.Unauthorized, (await Gateway.GetAsync(Catalog + "&status=archived")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await Gateway.GetAsync(Catalog + "&status=archived", ("X-Api-Key", GatewayProcess.AdminKey))).Status);
    }

    [Fact]
    public async Task Incomplete_answer_is_kept_for_five_seconds_at_most_and_a_problem_not_at_all()
    {
        await stack.Simulator.FaultAsync("paymentwall", new { match = "pro-EUR-monthly", status = 400 });

        var incomplete = await Gateway.GetAsync(Catalog);

        Assert.False((bool)incomplete.Json["completeness"]!["complete"]!);
        Assert.Matches("^public, max-age=[0-5]$", incomplete.Headers["Cache-Control"]);
        var problem = await Gateway.GetAsync(Catalog + "&prices=required");
        Assert.Equal(("pricesUnavailable", "no-store"), (problem.Code, problem.Headers["Cache-Control"]));
        Assert.Equal("Accept-Encoding, sandbox", problem.Headers["Vary"]);
        await stack.Simulator.ClearFaultsAsync();
        Assert.Equal(HttpStatusCode.OK, (await Gateway.GetAsync(Catalog + "&prices=required")).Status);
    }

    [Fact]
    public async Task Country_header_is_named_in_vary()
    {
        await using var gateway = await stack.StartGatewayAsync(("Catalog:CountryHeader", "CF-IPCountry"));

        Assert.Equal("Accept-Encoding, sandbox, CF-IPCountry", (await gateway.GetAsync(Catalog)).Headers["Vary"]);
        Assert.Equal("Accept-Encoding, sandbox, CF-IPCountry", (await gateway.GetAsync("/catalog?product=")).Headers["Vary"]);
    }

    [Fact]
    public async Task Prices_that_miss_the_deadline_finish_in_the_background_and_the_next_answer_is_complete()
    {
        await using var gateway = await stack.StartGatewayAsync(("Catalog:Deadline", "00:00:00.6"));
        await GatewayProcess.EventuallyAsync(
            async () => (await gateway.GetAsync("/catalog/reviews_example")).Status == HttpStatusCode.OK, TimeSpan.FromSeconds(10));
        await stack.Simulator.FaultAsync("paymentwall", new { match = "builtfor_example-pro-EUR-monthly", latencyMs = 1200 });

        var first = await gateway.GetAsync(Catalog);

        Assert.Equal("timeout", (string?)first.Component("builtfor_example-pro-EUR-monthly")["price"]!["reason"]);
        await GatewayProcess.EventuallyAsync(
            async () => (bool)(await gateway.GetAsync(Catalog)).Json["completeness"]!["complete"]!, TimeSpan.FromSeconds(4));
        Assert.Single(await stack.Simulator.ReceivedAsync("paymentwall"), request => request.Query("ag_external_id") == "builtfor_example-pro-EUR-monthly");
    }

    [Fact]
    public async Task Equal_questions_share_one_answer()
    {
        await Gateway.GetAsync("/catalog?product=builtfor_example&type=plan,addon&period=month,year&country=fr");

        var other = await Gateway.GetAsync("/catalog?country=FR&period=year&period=month&type=addon&type=plan&product=builtfor_example&utm_source=x");

        Assert.Contains("; hit", other.Headers["Cache-Status"], StringComparison.Ordinal);
        Assert.Contains("; hit", (await Gateway.GetAsync("/catalog/builtfor_example?type=plan,addon&period=month,year&country=FR")).Headers["Cache-Status"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", 401, "unauthenticated", null)]
    [InlineData("wrong", 401, "unauthenticated", null)]
    [InlineData(GatewayProcess.ProxyKey, 403, "forbidden", null)]
    [InlineData(GatewayProcess.AdminKey, 400, "invalidParameter", "product")]
    public async Task Purge_needs_a_key_with_the_role_admin_and_something_to_purge(string key, int status, string code, string? parameter)
    {
        var answer = await Gateway.SendAsync(HttpMethod.Post, "/admin/cache/purge", ("X-Api-Key", key));

        Assert.Equal(((HttpStatusCode)status, code, parameter), (answer.Status, answer.Code, (string?)answer.Json["parameter"]));
        Assert.Equal(status == 401, answer.Headers.ContainsKey("WWW-Authenticate"));
    }

    [Theory]
    [InlineData("?product=a&sku=b", "product")]
    [InlineData("?product=..", "product")]
    [InlineData("?sku=", "sku")]
    [InlineData("?all=yes", "all")]
    [InlineData("?all=true&hard=yes", "hard")]
    [InlineData("?all=true&all=true", "all")]
    public async Task Purge_says_which_parameter_is_wrong(string query, string parameter)
    {
        var answer = await Gateway.SendAsync(HttpMethod.Post, "/admin/cache/purge" + query, ("X-Api-Key", GatewayProcess.AdminKey));

        Assert.Equal((HttpStatusCode.BadRequest, parameter), (answer.Status, (string?)answer.Json["parameter"]));
    }
}
