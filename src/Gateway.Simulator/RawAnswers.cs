using System.Collections.Concurrent;

namespace Gateway.Simulator;

/// <summary>Bodies that are served byte for byte, valid or not, by the name of what they stand for.</summary>
internal sealed class RawAnswers
{
    private readonly ConcurrentDictionary<string, byte[]> _bodies = new(StringComparer.Ordinal);

    public byte[]? Find(string name) => _bodies.GetValueOrDefault(name);

    public void Set(string name, byte[] body) => _bodies[name] = body;

    public void Clear() => _bodies.Clear();
}
