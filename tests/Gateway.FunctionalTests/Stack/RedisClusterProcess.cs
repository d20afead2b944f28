using System.Globalization;
using System.Net;
using StackExchange.Redis;

namespace Gateway.FunctionalTests.Stack;

/// <summary>A Redis Cluster on loopback: three primaries, each with a third of the slots, and a replica each if wanted.</summary>
internal sealed class RedisClusterProcess : RedisServer
{
    public const int Primaries = 3;

    private const int Slots = 16_384;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("redis-cluster-");
    private readonly List<Node> _nodes = [];

    private RedisClusterProcess()
    {
    }

    /// <summary>Of all nodes, as an operator would name them.</summary>
    public override string ConnectionString => string.Join(',', _nodes.Select(node => node.Address));

    /// <summary>The primaries first, then their replicas in the same order.</summary>
    public IReadOnlyList<Node> Nodes => _nodes;

    public static new Task<RedisClusterProcess> StartAsync() => StartAsync(withReplicas: false);

    /// <param name="withReplicas">One for each primary.</param>
    /// <param name="settings">Of every node, as on the command line.</param>
    public static async Task<RedisClusterProcess> StartAsync(bool withReplicas, params string[] settings)
    {
        var cluster = new RedisClusterProcess();
        try
        {
            for (var number = 0; number < Primaries * (withReplicas ? 2 : 1); number++)
            {
                cluster._nodes.Add(await Node.StartAsync(cluster._folder.CreateSubdirectory(number.ToString(CultureInfo.InvariantCulture)).FullName, settings));
            }

            await cluster.FormAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>The number of the node that a key's slot was given to in the beginning.</summary>
    public static int HomeOf(string key) => HashSlot(key) * Primaries / Slots;

    public override Task KillAsync() => Task.WhenAll(_nodes.Select(node => node.KillAsync()));

    /// <summary>It is whole again when this is done.</summary>
    public override async Task RestartAsync()
    {
        await Task.WhenAll(_nodes.Select(node => node.RestartAsync()));
        await EveryNodeAsync(info => info.Contains("cluster_state:ok", StringComparison.Ordinal));
    }

    public override void Signal(int signal) => _nodes.ForEach(node => node.Signal(signal));

    public override async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }

        _folder.Delete(recursive: true);
    }

    /// <summary>CRC16 (XMODEM) of the hash tag, or of all.</summary>
    public static int HashSlot(string key)
    {
        var (open, close) = (key.IndexOf('{', StringComparison.Ordinal), -1);
        if (open >= 0)
        {
            close = key.IndexOf('}', open + 1);
        }

        var crc = 0;
        foreach (var one in System.Text.Encoding.UTF8.GetBytes(close > open + 1 ? key[(open + 1)..close] : key))
        {
            crc ^= one << 8;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = ((crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xFFFF;
            }
        }

        return crc % Slots;
    }

    /// <summary>Moves a slot with its keys, one by one, as <c>redis-cli --cluster reshard</c> does.</summary>
    public async Task MoveAsync(int slot, int from, int to)
    {
        var (source, target) = (_nodes[from], _nodes[to]);
        var (sourceId, targetId) = ((string)(await source.AskAsync("CLUSTER", "MYID"))!, (string)(await target.AskAsync("CLUSTER", "MYID"))!);
        await target.AskAsync("CLUSTER", "SETSLOT", slot, "IMPORTING", sourceId);
        await source.AskAsync("CLUSTER", "SETSLOT", slot, "MIGRATING", targetId);
        while ((string[])(await source.AskAsync("CLUSTER", "GETKEYSINSLOT", slot, 1))! is [var key])
        {
            await source.AskAsync("MIGRATE", "127.0.0.1", target.Port, key, 0, 5_000);
        }

        foreach (var node in new[] { target, source }.Concat(_nodes.Take(Primaries).Where(node => node != target && node != source)))
        {
            await node.AskAsync("CLUSTER", "SETSLOT", slot, "NODE", targetId);
        }
    }

    private async Task FormAsync()
    {
        for (var number = 0; number < Primaries; number++)
        {
            // Ranges meet where HomeOf says that they do.
            var (first, last) = (((number * Slots) + Primaries - 1) / Primaries, ((((number + 1) * Slots) + Primaries - 1) / Primaries) - 1);
            await _nodes[number].AskAsync("CLUSTER", "ADDSLOTSRANGE", first, last);
        }

        foreach (var node in _nodes.Skip(1))
        {
            await _nodes[0].AskAsync("CLUSTER", "MEET", "127.0.0.1", node.Port, node.BusPort);
        }

        await EveryNodeAsync(info => info.Contains($"cluster_known_nodes:{_nodes.Count}", StringComparison.Ordinal));
        for (var number = Primaries; number < _nodes.Count; number++)
        {
            var primary = (string)(await _nodes[number - Primaries].AskAsync("CLUSTER", "MYID"))!;

            // It may not have heard of it yet.
            await EventuallyAsync(async () => ((string)(await _nodes[number].AskAsync("CLUSTER", "NODES"))!).Contains(primary, StringComparison.Ordinal));
            await _nodes[number].AskAsync("CLUSTER", "REPLICATE", primary);
        }

        await EveryNodeAsync(info => info.Contains("cluster_state:ok", StringComparison.Ordinal));
        foreach (var replica in _nodes.Skip(Primaries))
        {
            await EventuallyAsync(async () => ((string)(await replica.AskAsync("INFO", "replication"))!).Contains("master_link_status:up", StringComparison.Ordinal));
        }
    }

    private Task EveryNodeAsync(Func<string, bool> isSo) =>
        Task.WhenAll(_nodes.Select(node => EventuallyAsync(async () => isSo((string)(await node.AskAsync("CLUSTER", "INFO"))!))));

    public static async Task EventuallyAsync(Func<Task<bool>> isSo)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await isSo())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(20), "The cluster never came to be so.");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    internal sealed class Node : IAsyncDisposable
    {
        private readonly string _folder;
        private readonly string[] _arguments;
        private ChildProcess _process;
        private ConnectionMultiplexer? _connection;

        private Node(int port, int busPort, string folder, string[] arguments, ChildProcess process) =>
            (Port, BusPort, _folder, _arguments, _process) = (port, busPort, folder, arguments, process);

        public int Port { get; }

        public int BusPort { get; }

        public string Address => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

        public static async Task<Node> StartAsync(string folder, string[] settings)
        {
            var (port, busPort) = (FreePort(), FreePort());
            string[] arguments =
            [
                "--port", port.ToString(CultureInfo.InvariantCulture), "--cluster-port", busPort.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1",
                "--save", string.Empty, "--appendonly", "no", "--dir", folder, "--cluster-enabled", "yes", "--cluster-node-timeout", "1000", .. settings,
            ];
            return new Node(port, busPort, folder, arguments, await LaunchAsync(arguments));
        }

        /// <summary>A command to this node, whatever slots it has.</summary>
        public async Task<RedisResult> AskAsync(string command, params object[] arguments)
        {
            _connection ??= await ConnectionMultiplexer.ConnectAsync($"{Address},allowAdmin=true,abortConnect=false");
            return await _connection.GetServer(IPAddress.Loopback, Port).ExecuteAsync(command, arguments);
        }

        /// <summary>SIGKILL.</summary>
        public Task KillAsync() => _process.KillAsync();

        public void Signal(int signal) => _process.Signal(signal);

        /// <summary>Starts again, empty, as the node that it was.</summary>
        public async Task RestartAsync()
        {
            await _process.DisposeAsync();
            File.Delete(Path.Combine(_folder, SavedFile));
            _process = await LaunchAsync(_arguments);
        }

        public async ValueTask DisposeAsync()
        {
            if (_connection is not null)
            {
                await _connection.DisposeAsync();
            }

            _process.Signal(18);
            await _process.DisposeAsync();
        }

        private static async Task<ChildProcess> LaunchAsync(string[] arguments)
        {
            var process = ChildProcess.Start(Program, arguments, []);
            await process.LineAsync(line => line.Contains("Ready to accept connections", StringComparison.Ordinal));
            return process;
        }
    }
}
