using System.Diagnostics;
using Gateway.Hosting.Observability;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Hosting.Observability;

public sealed class RequestTraceTests
{
    private const string Parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    [Fact]
    public void The_caller_s_trace_id_is_the_request_s()
    {
        var context = new DefaultHttpContext();
        context.Request.Headers.TraceParent = Parent;
        context.Request.Headers.TraceState = "vendor=1";

        var seen = RequestTrace.Of(context);

        Assert.Equal("0af7651916cd43dd8448eb211c80319c", seen.TraceId.ToHexString());
        Assert.Equal(("b7ad6b7169203331", "vendor=1"), (seen.ParentSpanId.ToHexString(), seen.TraceStateString));
        Assert.Same(seen, Activity.Current);
    }

    [Theory]
    [InlineData("")]
    [InlineData("garbage")]
    [InlineData("00-00000000000000000000000000000000-b7ad6b7169203331-01")]
    [InlineData("|hierarchical.1.2.")]
    public void Without_one_of_the_caller_s_it_is_a_new_one(string parent)
    {
        var context = new DefaultHttpContext();
        context.Request.Headers.TraceParent = parent;

        var seen = RequestTrace.Of(context);

        Assert.Equal(ActivityIdFormat.W3C, seen.IdFormat);
        Assert.NotEqual(default, seen.TraceId);
        Assert.Equal(default, seen.ParentSpanId);
    }

    [Fact]
    public void A_span_that_was_begun_already_is_kept()
    {
        using var span = new Activity("server").Start();

        Assert.Same(span, RequestTrace.Of(new DefaultHttpContext()));
    }

    [Fact]
    public void A_line_about_a_request_that_went_no_further_has_one_too_and_always_the_same()
    {
        var context = new DefaultHttpContext();

        var trace = RequestTrace.Of(context);
        Activity.Current = null;

        Assert.Same(trace, RequestTrace.Of(context));
    }
}
