"""Telegram's HTML to text and entities."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdcore.edge.markup import BadMarkup, Entity, parse_html, units


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("plain", "plain", ()),
        ("a &lt; b &amp; c", "a < b & c", ()),
        ("<b>x</b>", "x", (Entity("bold", 0, 1),)),
        ("😀<i>y</i>", "😀y", (Entity("italic", 2, 1),)),
        (
            "<b>a<i>b</i></b>",
            "ab",
            (Entity("bold", 0, 2), Entity("italic", 1, 1)),
        ),
        (
            '<a href="https://x.y/?a=1&amp;b">l</a>',
            "l",
            (Entity("text_link", 0, 1, "https://x.y/?a=1&b"),),
        ),
        (
            '<pre><code class="language-py">x</code></pre>',
            "x",
            (Entity("pre", 0, 1, None, "py"),),
        ),
        ('<span class="tg-spoiler">s</span>', "s", (Entity("spoiler", 0, 1),)),
        ("a<br>b", "a\nb", ()),
        ("<u></u>x", "x", ()),
    ],
)
def test_tags(source: str, text: str, entities: tuple[Entity, ...]) -> None:
    assert parse_html(source) == (text, entities)


@pytest.mark.parametrize(
    "source", ["<b>x", "x</b>", "<b><i>x</b></i>", "<script>x</script>", "<p>", "a <![> b"]
)
def test_bad_markup(source: str) -> None:
    with pytest.raises(BadMarkup):
        parse_html(source)


@pytest.mark.parametrize("source", ["<canary>", "<b>x</canary>", "</canary>", "<![canary>"])
def test_the_reason_quotes_nothing(source: str) -> None:
    with pytest.raises(BadMarkup) as caught:
        parse_html(source)
    assert "canary" not in str(caught.value)


def test_a_lone_surrogate_is_one_unit() -> None:
    assert units("a\ud800b") == 3
    assert parse_html("\ud800<b>x</b>")[1] == (Entity("bold", 1, 1),)


@given(st.text())
def test_any_text_parses_or_is_refused(source: str) -> None:
    try:
        text, entities = parse_html(source)
    except BadMarkup:
        return
    for entity in entities:
        assert 0 <= entity.offset < entity.offset + entity.length <= units(text)
