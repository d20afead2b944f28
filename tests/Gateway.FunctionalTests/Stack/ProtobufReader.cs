using System.Buffers.Binary;
using System.Text;

namespace Gateway.FunctionalTests.Stack;

/// <summary>
/// Reads the fields of one protobuf message, in the order of the wire. Whatever is not protobuf, or not of the type that the
/// reader was asked for, is an <see cref="InvalidDataException"/>.
/// </summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message)
{
    /// <summary>As other protobuf readers do: nesting costs a sender two bytes and a recursive reader its stack.</summary>
    private const int MaxDepth = 100;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private ReadOnlySpan<byte> _rest = message;
    private WireType _type;
    private int _depth;

    private enum WireType
    {
        Varint = 0,
        Fixed64 = 1,
        Length = 2,
        Fixed32 = 5,
    }

    /// <summary>The number of the field that <see cref="Next()"/> came to.</summary>
    public int Field { get; private set; }

    /// <summary>Goes to the next field, which is then to be read by exactly one of the methods below. False at the end.</summary>
    public bool Next()
    {
        if (_rest.IsEmpty)
        {
            return false;
        }

        var tag = ReadVarint();
        if (tag > uint.MaxValue || tag >> 3 == 0)
        {
            throw Invalid("a field number is out of range");
        }

        Field = (int)(tag >> 3);
        _type = (WireType)(tag & 7);
        return true;
    }

    /// <summary>Goes to the next field of this number, passing over others.</summary>
    public bool Next(int field)
    {
        while (Next())
        {
            if (Field == field)
            {
                return true;
            }

            Skip();
        }

        return false;
    }

    public void Skip()
    {
        _ = _type switch
        {
            WireType.Varint => (int)(ReadVarint() & 1),
            WireType.Fixed64 => Take(sizeof(ulong)).Length,
            WireType.Length => TakeCounted().Length,
            WireType.Fixed32 => Take(sizeof(uint)).Length,
            _ => throw Invalid("a wire type is unknown"),
        };
    }

    public ulong Varint()
    {
        Expect(WireType.Varint);
        return ReadVarint();
    }

    public ulong Fixed64()
    {
        Expect(WireType.Fixed64);
        return BinaryPrimitives.ReadUInt64LittleEndian(Take(sizeof(ulong)));
    }

    public double Double() => BitConverter.UInt64BitsToDouble(Fixed64());

    /// <summary>A repeated 64-bit field: packed, or one value of it.</summary>
    public void Fixed64s(List<ulong> values)
    {
        if (_type != WireType.Length)
        {
            values.Add(Fixed64());
            return;
        }

        for (var packed = TakeCounted(); !packed.IsEmpty; packed = packed[sizeof(ulong)..])
        {
            if (packed.Length < sizeof(ulong))
            {
                throw Truncated();
            }

            values.Add(BinaryPrimitives.ReadUInt64LittleEndian(packed));
        }
    }

    public ReadOnlySpan<byte> Bytes()
    {
        Expect(WireType.Length);
        return TakeCounted();
    }

    public string Text()
    {
        try
        {
            return Utf8.GetString(Bytes());
        }
        catch (DecoderFallbackException)
        {
            throw Invalid("a string is not UTF-8");
        }
    }

    public ProtobufReader Message()
    {
        if (_depth == MaxDepth)
        {
            throw Invalid("messages are nested too deeply");
        }

        return new ProtobufReader(Bytes()) { _depth = _depth + 1 };
    }

    public static InvalidDataException Invalid(string what) => new(what);

    private static InvalidDataException Truncated() => Invalid("it ends within a field");

    private readonly void Expect(WireType type)
    {
        if (_type != type)
        {
            throw Invalid("a field has the wrong wire type");
        }
    }

    private ulong ReadVarint()
    {
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Take(1)[0];
            if (shift == 63 && next > 1)
            {
                break;
            }

            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw Invalid("a varint is longer than 64 bits");
    }

    private ReadOnlySpan<byte> TakeCounted()
    {
        var length = ReadVarint();
        return length <= (ulong)_rest.Length ? Take((int)length) : throw Truncated();
    }

    private ReadOnlySpan<byte> Take(int length)
    {
        if (length > _rest.Length)
        {
            throw Truncated();
        }

        var taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }
}
