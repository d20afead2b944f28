namespace Gateway.FunctionalTests.Stack;

/// <summary>
/// Counts the commands in what a Redis client sends: arrays of bulk strings (<c>*2\r\n$3\r\nGET\r\n$1\r\na\r\n</c>), however they are cut
/// into packets.
/// </summary>
internal sealed class RedisCommandCounter
{
    private int _stringsLeft;
    private int _bytesLeft;
    private int _number;
    private byte _kind;

    /// <summary>How many commands these bytes complete.</summary>
    public int Count(ReadOnlySpan<byte> sent)
    {
        var complete = 0;
        foreach (var one in sent)
        {
            if (_bytesLeft > 0)
            {
                _bytesLeft--;
                complete += _bytesLeft == 0 && --_stringsLeft == 0 ? 1 : 0;
            }
            else if (one is (byte)'*' or (byte)'$')
            {
                (_kind, _number) = (one, 0);
            }
            else if (char.IsAsciiDigit((char)one))
            {
                _number = (_number * 10) + (one - '0');
            }
            else if (one == '\n')
            {
                if (_kind == '*')
                {
                    _stringsLeft = _number;
                }
                else
                {
                    // With the line's end behind it.
                    _bytesLeft = _number + 2;
                }
            }
        }

        return complete;
    }
}
