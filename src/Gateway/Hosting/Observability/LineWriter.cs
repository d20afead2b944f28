using System.Globalization;
using System.Text;

namespace Gateway.Hosting.Observability;

/// <summary>Characters in one piece, in memory that is used again for the next line.</summary>
internal sealed class LineWriter() : TextWriter(CultureInfo.InvariantCulture)
{
    /// <summary>More is given back after a line that needed it.</summary>
    private const int Kept = 32 * 1024;

    private char[] _characters = new char[1_024];
    private int _length;

    public override Encoding Encoding => Encoding.UTF8;

    public ReadOnlySpan<char> Written => _characters.AsSpan(0, _length);

    public void Clear()
    {
        _length = 0;
        if (_characters.Length > Kept)
        {
            _characters = new char[Kept];
        }
    }

    public override void Write(char value) => Room(1)[0] = value;

    public override void Write(ReadOnlySpan<char> buffer) => buffer.CopyTo(Room(buffer.Length));

    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    public override void Write(string? value) => Write(value.AsSpan());

    private Span<char> Room(int count)
    {
        if (_length + count > _characters.Length)
        {
            Array.Resize(ref _characters, Math.Max(2 * _characters.Length, _length + count));
        }

        _length += count;
        return _characters.AsSpan(_length - count, count);
    }
}
