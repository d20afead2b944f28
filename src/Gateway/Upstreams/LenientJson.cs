using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gateway.Upstreams;

/// <summary>
/// Readers for vendors whose numbers are sometimes strings and whose strings are sometimes numbers or empty. They accept the other
/// spelling of the same value, and nothing else: a wrong shape is a <see cref="JsonException"/>, so that no model is half filled.
/// <see cref="OrUnreadable{T, TConverter}"/> is for fields that may be missing: what cannot be read is absent there.
/// </summary>
internal static class LenientJson
{
    /// <summary>A string, a number (its digits as sent, so that no decimal is lost), or null. An empty string is null.</summary>
    internal sealed class Text : JsonConverter<string?>
    {
        public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.TokenType switch
        {
            JsonTokenType.String => reader.GetString() is { Length: > 0 } text ? text : null,
            JsonTokenType.Number => Encoding.ASCII.GetString(reader.ValueSpan),
            _ => throw new JsonException(),
        };

        public override void Write(Utf8JsonWriter writer, string? value, JsonSerializerOptions options) => throw new NotSupportedException();
    }

    /// <summary>A whole number, or a string of one (<c>12</c>, <c>"12"</c>, <c>12.0</c>). An empty string is null.</summary>
    internal sealed class Integer : JsonConverter<long?>
    {
        public override long? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            var text = reader.TokenType switch
            {
                JsonTokenType.String => reader.GetString()!,
                JsonTokenType.Number => Encoding.ASCII.GetString(reader.ValueSpan),
                _ => throw new JsonException(),
            };
            if (text.Length == 0)
            {
                return null;
            }

            // Digits, and at most zeros behind a dot: nothing is rounded.
            var dot = text.IndexOf('.', StringComparison.Ordinal);
            var whole = dot < 0 ? text : text[..dot];
            return (dot < 0 || (dot < text.Length - 1 && !text.AsSpan(dot + 1).ContainsAnyExcept('0')))
                && !whole.Contains('\0', StringComparison.Ordinal)
                && long.TryParse(whole, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                ? number
                : throw new JsonException();
        }

        public override void Write(Utf8JsonWriter writer, long? value, JsonSerializerOptions options) => throw new NotSupportedException();
    }

    /// <summary><c>true</c>, <c>1</c>, <c>"1"</c>, <c>"true"</c> and their opposites. An empty string is null.</summary>
    internal sealed class Flag : JsonConverter<bool?>
    {
        public override bool? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.TokenType switch
        {
            JsonTokenType.True => true,
            JsonTokenType.False => false,
            JsonTokenType.Number when reader.ValueSpan.SequenceEqual("1"u8) => true,
            JsonTokenType.Number when reader.ValueSpan.SequenceEqual("0"u8) => false,
            JsonTokenType.String => reader.GetString() switch
            {
                "" => null,
                "1" or "true" => true,
                "0" or "false" => false,
                _ => throw new JsonException(),
            },
            _ => throw new JsonException(),
        };

        public override void Write(Utf8JsonWriter writer, bool? value, JsonSerializerOptions options) => throw new NotSupportedException();
    }

    /// <summary>A field that nothing depends on.</summary>
    /// <param name="Value">Null where it is absent, empty (PHP's <c>[]</c> too) or unreadable.</param>
    /// <param name="IsUnreadable">It was there and could not be read.</param>
    internal readonly record struct Field<T>(T? Value, bool IsUnreadable);

    /// <summary>Reads as <typeparamref name="TConverter"/> does, and takes what that refuses for absent.</summary>
    internal sealed class OrUnreadable<T, TConverter> : JsonConverter<Field<T>>
        where TConverter : JsonConverter<T>, new()
    {
        private static readonly TConverter Inner = new();

        public override bool HandleNull => true;

        public override Field<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            var value = reader;
            var inside = reader;
            reader.Skip();
            try
            {
                return value.TokenType == JsonTokenType.Null || (value.TokenType == JsonTokenType.StartArray && inside.Read() && inside.TokenType == JsonTokenType.EndArray)
                    ? default
                    : new Field<T>(Inner.Read(ref value, typeof(T), options), IsUnreadable: false);
            }
            catch (Exception exception) when (exception is JsonException or InvalidOperationException)
            {
                // The latter for text that is no UTF-16, such as half of a surrogate pair.
                return new Field<T>(default, IsUnreadable: true);
            }
        }

        public override void Write(Utf8JsonWriter writer, Field<T> value, JsonSerializerOptions options) => throw new NotSupportedException();
    }
}
