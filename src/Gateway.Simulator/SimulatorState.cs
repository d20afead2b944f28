using Gateway.Simulator.AuthorizationServer;
using Gateway.Simulator.Billing;
using Gateway.Simulator.Faults;
using Gateway.Simulator.Paymentwall;
using Gateway.Simulator.Requests;

namespace Gateway.Simulator;

/// <summary>All that the four applications share, and all that a reset takes back; safe for concurrent use.</summary>
internal sealed class SimulatorState
{
    public SimulatorState(SimulatorOptions options, TimeProvider timeProvider)
    {
        Options = options;
        TimeProvider = timeProvider;
        Requests = Upstream.All.ToDictionary(name => name, _ => new RequestLog(timeProvider));
        Tokens = new TokenIssuer(options, timeProvider);
        Validator = new AccessTokenValidator(this);
        Components = BillingCatalog.Seed();
        Prices = PriceList.Seed(Components);
    }

    public SimulatorOptions Options { get; }

    public TimeProvider TimeProvider { get; }

    public IReadOnlyDictionary<string, FaultBoard> Faults { get; } =
        Upstream.All.ToDictionary(name => name, _ => new FaultBoard());

    public IReadOnlyDictionary<string, RequestLog> Requests { get; }

    public TokenIssuer Tokens { get; }

    public AccessTokenValidator Validator { get; }

    public BillingCatalog Components { get; }

    public PriceList Prices { get; }

    /// <summary>Answers that the control API put in the place of a SKU's price.</summary>
    public RawAnswers PriceOverrides { get; } = new();

    /// <summary>Answers that the control API put in the place of a product's components.</summary>
    public RawAnswers ProductOverrides { get; } = new();

    public void RevokeTokens()
    {
        Tokens.RevokeAll();
        Validator.RevokeForeign();
    }

    public void Reset()
    {
        ClearFaults();
        ClearRequests();
        PriceOverrides.Clear();
        ProductOverrides.Clear();
        Tokens.Reset();
        Validator.Reset();
    }

    public void ClearFaults()
    {
        foreach (var board in Faults.Values)
        {
            board.Replace([]);
        }
    }

    public void ClearRequests()
    {
        foreach (var log in Requests.Values)
        {
            log.Clear();
        }
    }
}
