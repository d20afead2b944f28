using Gateway.Catalog;

namespace Gateway.Tests.Catalog;

public sealed class SkuTemplateTests
{
    [Theory]
    [InlineData("{id}", "c")]
    [InlineData("{productId}", "p")]
    [InlineData("{groupId}", "g")]
    [InlineData("{productId}/{groupId}-{id}", "p/g-c")]
    [InlineData("sku_{id}{id}", "sku_cc")]
    [InlineData("{id} & more", "c & more")]
    public void Fields_are_put_in_and_the_rest_stays(string text, string sku)
    {
        Assert.True(SkuTemplate.TryParse(text, out var template));
        Assert.Equal(sku, template.Apply(Given.Component() with { GroupId = "g" }));
    }

    [Theory]
    [InlineData("")]
    [InlineData("constant")]
    [InlineData("{}")]
    [InlineData("{ID}")]
    [InlineData("{ id }")]
    [InlineData("{name}")]
    [InlineData("{id}{name}")]
    [InlineData("{id")]
    [InlineData("id}")]
    [InlineData("{{id}}")]
    [InlineData("{id}}")]
    [InlineData("{id}{")]
    public void Anything_else_in_braces_or_no_field_at_all_is_refused(string text)
    {
        Assert.False(SkuTemplate.TryParse(text, out var template));
        Assert.Null(template);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void A_component_without_the_field_has_no_SKU(string? group)
    {
        Assert.True(SkuTemplate.TryParse("{id}-{groupId}", out var template));
        Assert.Null(template.Apply(Given.Component() with { GroupId = group }));
    }

    [Fact]
    public void A_value_that_looks_like_a_field_is_only_text()
    {
        Assert.True(SkuTemplate.TryParse("{id}-{productId}", out var template));
        Assert.Equal("{productId}-p", template.Apply(Given.Component("{productId}")));
    }
}
