using System.ComponentModel;
using System.Globalization;

namespace Gateway.Configuration;

/// <summary>A list of words that configuration may give as an array or as one comma separated value.</summary>
[TypeConverter(typeof(Converter))]
internal sealed class CommaList : List<string>
{
    private sealed class Converter : TypeConverter
    {
        public override bool CanConvertFrom(ITypeDescriptorContext? context, Type sourceType) => sourceType == typeof(string);

        public override object ConvertFrom(ITypeDescriptorContext? context, CultureInfo? culture, object value)
        {
            var list = new CommaList();
            list.AddRange(((string)value).Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
            return list;
        }
    }
}
