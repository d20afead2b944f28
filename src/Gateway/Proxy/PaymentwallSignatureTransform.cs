using Gateway.Problems;
using Gateway.Upstreams.Paymentwall;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Transforms;

namespace Gateway.Proxy;

/// <summary>
/// Signs the final query. The caller's <c>key</c>, <c>sign</c> and <c>sign_version</c> are dropped and ours put in; the values enter
/// the signature raw and the address encoded. A parameter given twice has no signature that both sides agree on, and is refused.
/// </summary>
internal sealed class PaymentwallSignatureTransform(IOptionsMonitor<PaymentwallOptions> options) : RequestTransform
{
    private static readonly string[] Ours = ["key", "sign", "sign_version"];

    public override async ValueTask ApplyAsync(RequestTransformContext context)
    {
        if (context.HttpContext.Response.HasStarted)
        {
            return;
        }

        var parameters = new List<KeyValuePair<string, string>>();
        foreach (var (name, values) in context.Query.Collection.Where(pair => !Ours.Contains(pair.Key, StringComparer.OrdinalIgnoreCase)))
        {
            if (values.Count != 1)
            {
                await new ProblemResult(Problem.InvalidParameter, $"{name} is given more than once.", name).ExecuteAsync(context.HttpContext);
                return;
            }

            parameters.Add(new(name, values.ToString()));
        }

        context.ProxyRequest.RequestUri = RequestUtilities.MakeDestinationAddress(
            context.DestinationPrefix, context.Path, new QueryString("?" + PaymentwallSignature.SignQuery(options.CurrentValue, parameters)));
    }
}
