

namespace Gateway.Proxy;

/// <summary>
/// A body of which the first 16 KiB are searched for a token. What may be the token's beginning is held back until the next read shows
/// what it is, so that no part of the token passes, however it is cut. Throws <see cref="TokenEchoException"/> where it is found.
/// </summary>
internal sealed class TokenEchoStream : Stream
{
    /// <summary>How much of a body is searched.</summary>
    public const int Searched = 16 * 1024;

    private const int ReadSize = 4 * 1024;

    private readonly Stream _inner;
    private readonly byte[] _token;
    private readonly Func<bool> _trailersHoldToken;

    /// <summary>What was read and has not been given out: first what may go, then what may be the token's beginning.</summary>
    private readonly byte[] _buffer;
    private int _start;
    private int _clear;
    private int _end;
    private int _searched;
    private bool _ended;

    public TokenEchoStream(Stream inner, byte[] token, Func<bool> trailersHoldToken)
    {
        _inner = inner;
        _token = token;
        _trailersHoldToken = trailersHoldToken;
        _buffer = new byte[token.Length + ReadSize];
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Reads until something may be given out or the body ends.</summary>
    public async ValueTask FillAsync(CancellationToken cancellationToken)
    {
        while (_start == _clear && !_ended)
        {
            // What is held back begins the next search.
            _buffer.AsSpan(_start.._end).CopyTo(_buffer);
            _end -= _start;
            _start = _clear = 0;
            var read = await _inner.ReadAsync(_buffer.AsMemory(_end, ReadSize), cancellationToken);
            _ended = read == 0;
            _searched += read;
            _end += read;
            var text = _buffer.AsMemory(0, _end);
            if (text.Span.IndexOf(_token) >= 0 || (_ended && _trailersHoldToken()))
            {
                throw new TokenEchoException();
            }

            _clear = _ended ? _end : _end - BeginningAtEnd(text.Span);
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty)
        {
            return 0;
        }

        if (_start == _end && _searched >= Searched)
        {
            return await ReadOnAsync(buffer, cancellationToken);
        }

        await FillAsync(cancellationToken);
        var count = Math.Min(buffer.Length, _clear - _start);
        _buffer.AsSpan(_start, count).CopyTo(buffer.Span);
        _start += count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Flush() => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _inner.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>Beyond what is searched; the trailers still are.</summary>
    private async ValueTask<int> ReadOnAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var read = await _inner.ReadAsync(buffer, cancellationToken);
        return read > 0 || !_trailersHoldToken() ? read : throw new TokenEchoException();
    }

    /// <summary>How many of the last bytes may be the token's first.</summary>
    private int BeginningAtEnd(ReadOnlySpan<byte> text)
    {
        for (var length = Math.Min(text.Length, _token.Length - 1); length > 0; length--)
        {
            if (text.EndsWith(_token.AsSpan(0, length)))
            {
                return length;
            }
        }

        return 0;
    }
}

/// <summary>An upstream's answer held the access token that was attached to its request. Says nothing of the token.</summary>
internal sealed class TokenEchoException() : IOException("The answer must not pass.");
