"""HTML, MarkdownV2, Markdown and plain entities, read as Telegram reads them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from clawdcore.testing.botapi.entities import MAX_ENTITIES, check, detect, trim, utf16_length
from clawdcore.testing.botapi.errors import ApiError
from clawdcore.testing.botapi.html import TAGS, MarkupError, parse_html
from clawdcore.testing.botapi.markdown import parse_markdown, parse_markdown_v2
from clawdcore.testing.botapi.text import formatted

Short = list[tuple[Any, ...]]


def short(entities: list[dict[str, Any]]) -> Short:
    return [tuple(entity.values()) for entity in entities]


@pytest.mark.parametrize(
    ("markup", "text", "entities"),
    [
        ("plain", "plain", []),
        ("<b>bold</b> x", "bold x", [("bold", 0, 4)]),
        ("<B>x</b>", "x", [("bold", 0, 1)]),
        ("😀<i>it</i>", "😀it", [("italic", 2, 2)]),
        ("<b>a<i>b</i></b>", "ab", [("bold", 0, 2), ("italic", 1, 1)]),
        ("a &lt; b &amp;&quot; &#65;&#x42; &copy;", 'a < b &" AB &copy;', []),
        ("&amp;lt;", "&lt;", []),
        ("<b></b>x", "x", []),
        (
            '<a href="https://a.example/?x=1&amp;y">l</a>',
            "l",
            [("text_link", "https://a.example/?x=1&y", 0, 1)],
        ),
        ("<a href='https://a.example'>l</a>", "l", [("text_link", "https://a.example/", 0, 1)]),
        ('<a href="tg://user?id=42">Ada</a>', "Ada", [("text_mention", {"id": 42}, 0, 3)]),
        ("<a href='nonsense'>l</a>", "l", []),
        ("<a>a.example </a>", "a.example ", []),
        ("<a href=a.example>l</a>", "l", [("text_link", "http://a.example/", 0, 1)]),
        ("<a href='a.example?&lt;'>l</a>", "l", [("text_link", "http://a.example/?<", 0, 1)]),
        ("<code class='language-x'><pre>y</pre></code>", "y", [("pre", 0, 1, "x")]),
        ("<pre><code class='language-python'>x</code></pre>", "x", [("pre", 0, 1, "python")]),
        ("<code class='language-python'>x</code>", "x", [("code", 0, 1)]),
        ("<span class=\"tg-spoiler\">x</span>", "x", [("spoiler", 0, 1)]),
        ("<blockquote expandable>x</blockquote>", "x", [("expandable_blockquote", 0, 1)]),
        ("<b>x</>", "x", [("bold", 0, 1)]),
        ('<tg-emoji emoji-id="5">👍</tg-emoji>', "👍", [("custom_emoji", 0, 2, "5")]),
    ],
)  # fmt: skip
def test_html_becomes_text_and_entities(markup: str, text: str, entities: Short) -> None:
    plain, found = parse_html(markup)
    assert (plain, short(found)) == (text, entities)


@pytest.mark.parametrize(
    ("markup", "error"),
    [
        ("<b>x", "Can't find end tag corresponding to start tag \"b\""),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("é<b>x</i>", 'Unmatched end tag at byte offset 6, expected "</b>", found "</i>"'),
        ("a<br/>", 'Unsupported start tag "br/" at byte offset 1'),
        ("1 < 2", 'Unsupported start tag "" at byte offset 2'),
        ("<b", "Unclosed start tag at byte offset 0"),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        (
            "<a href>x</a>",
            'Expected equal sign in declaration of an attribute of the tag "a" at byte offset 0',
        ),
        ("<a href=x/y>x</a>", "Unexpected end of name token at byte offset 8"),
        ('<a href="x', "Unclosed start tag at byte offset 0"),
        ("<a href= ", 'Unclosed start tag "a" at byte offset 0'),
        ("&#xDFDF;", "Text contains invalid Unicode characters after decoding HTML entities, "
         "check for unmatched surrogate code units"),
        ('<a ="x">x</a>', 'Empty attribute name in the tag "a" at byte offset 0'),
    ],
)  # fmt: skip
def test_bad_html_is_refused(markup: str, error: str) -> None:
    with pytest.raises(MarkupError) as caught:
        parse_html(markup)
    assert str(caught.value) == error


@pytest.mark.parametrize(
    ("markup", "text", "entities"),
    [
        (r"1\.5 \> 1", "1.5 > 1", []),
        ("*b* _i_ __u__ ~s~ ||p||", "b i u s p", [
            ("bold", 0, 1), ("italic", 2, 1), ("underline", 4, 1),
            ("strikethrough", 6, 1), ("spoiler", 8, 1),
        ]),
        ("*b _i_*", "b i", [("bold", 0, 3), ("italic", 2, 1)]),
        ("`a.b`", "a.b", [("code", 0, 3)]),
        ("```py\nx = 1\n```", "x = 1\n", [("pre", "py", 0, 6)]),
        ("```\nx```", "x", [("pre", 0, 1)]),
        ("```py\n\rx```", "x", [("pre", "py", 0, 1)]),
        ("```py\n\nx```", "\nx", [("pre", "py", 0, 2)]),
        ("_a __b___", "a b", [("italic", 0, 3), ("underline", 2, 1)]),
        (r"[l](https://a.example/x\)y)", "l", [("text_link", "https://a.example/x)y", 0, 1)]),
        ("[Ada](tg://user?id=7)", "Ada", [("text_mention", {"id": 7}, 0, 3)]),
        ("![👍](tg://emoji?id=5)", "👍", [("custom_emoji", "5", 0, 2)]),
        (">a\n>b\nc", "a\nb\nc", [("blockquote", 0, 3)]),
    ],
)  # fmt: skip
def test_markdown_v2_becomes_text_and_entities(markup: str, text: str, entities: Short) -> None:
    plain, found = parse_markdown_v2(markup)
    assert (plain, short(found)) == (text, entities)


@pytest.mark.parametrize(
    ("markup", "error"),
    [
        ("a.", "Character '.' is reserved and must be escaped with the preceding '\\'"),
        ("a > b", "Character '>' is reserved and must be escaped with the preceding '\\'"),
        ("é*b", "Can't find end of Bold entity at byte offset 2"),
        ("```x", "Can't find end of Pre entity at byte offset 0"),
        ("```x y", "Can't find end of PreCode entity at byte offset 0"),
        ("é__a _b___", "Can't find end of Italic entity at byte offset 10"),
        ("[x](y", "Can't find end of a URL at byte offset 4"),
        ("!x", "Character '!' is reserved and must be escaped with the preceding '\\'"),
        ("![x](y)", "Custom emoji URL must have an emoji identifier at byte offset 0"),
    ],
)
def test_bad_markdown_v2_is_refused(markup: str, error: str) -> None:
    with pytest.raises(MarkupError) as caught:
        parse_markdown_v2(markup)
    assert str(caught.value) == error


def test_the_older_markdown() -> None:
    plain, found = parse_markdown(r"*b* _i_ `c` [l](https://a.example/) \_ [x] ```py" + "\nz```")
    assert plain == "b i c l _ x z"
    assert [e["type"] for e in found] == ["bold", "italic", "code", "text_link", "pre"]
    with pytest.raises(MarkupError, match="Can't find end of the entity starting at byte offset 2"):
        parse_markdown("a *b")


def test_entities_that_apps_find() -> None:
    text = "/start@clawd_bot 😀 @ada_1 https://a.example/x?y=1. me@a.example #news $EUR a.com"
    kinds = [(e["type"], e["offset"], e["length"]) for e in detect(text)]
    assert kinds == [
        ("bot_command", 0, 16),
        ("mention", 20, 6),
        ("url", 27, 23),
        ("email", 52, 12),
        ("hashtag", 65, 5),
        ("cashtag", 71, 4),
        ("url", 76, 5),
    ]
    assert detect("a/b 1/2 x@y #12") == []


def test_code_and_links_hide_what_is_in_them() -> None:
    plain, found = formatted("<code>/start @ada</code> @bob", parse_mode="HTML", raw_entities=None)
    assert [(e["type"], e["offset"]) for e in found] == [("code", 0), ("mention", 12)]
    assert plain == "/start @ada @bob"


def test_styles_are_cut_around_code() -> None:
    markup = "<b>a <code>b</code> c</b><u><pre>d</pre></u>"
    _, found = formatted(markup, parse_mode="HTML", raw_entities=None)
    assert [(e["type"], e["offset"], e["length"]) for e in found] == [
        ("bold", 0, 2),
        ("code", 2, 1),
        ("bold", 3, 2),
        ("pre", 5, 1),
    ]


@pytest.mark.parametrize(
    ("entity", "error"),
    [
        ({"type": "bold", "offset": 0, "length": 9}, "ends after the end of the text"),
        ({"type": "bold", "offset": -1, "length": 2}, "ends after the end of the text"),
        ({"type": "bold", "offset": 2, "length": 1}, "in a middle of a UTF-16 symbol"),
        ({"type": "bald", "offset": 0, "length": 1}, "Unsupported type"),
        ({"type": "bold", "offset": "0", "length": 1}, "must be Numbers"),
        ({"type": "text_link", "offset": 0, "length": 1}, "url"),
        ("bold", "expected an Object"),
    ],
)
def test_entities_out_of_the_text_are_refused(entity: object, error: str) -> None:
    with pytest.raises(ApiError) as caught:
        check("a😀b", [entity])
    assert caught.value.code == 400
    assert error in caught.value.description


def test_white_space_around_is_trimmed_and_entities_follow() -> None:
    bold = {"type": "bold", "offset": 4, "length": 5}
    assert trim("  x ab   \n", [bold]) == ("x ab", [{"type": "bold", "offset": 2, "length": 2}])
    assert trim("  x", [{"type": "bold", "offset": 0, "length": 3}])[0] == "  x"
    assert trim(" \n", []) == ("", [])


def test_carriage_returns_go_and_entities_move() -> None:
    plain, found = formatted("a\r\n<b>b</b>", parse_mode="html", raw_entities=None)
    assert plain == "a\nb"
    assert found == [{"type": "bold", "offset": 2, "length": 1}]


tags = [f"<{tag}>" for tag in sorted(TAGS)] + [f"</{tag}>" for tag in sorted(TAGS)]
pieces = st.lists(
    st.sampled_from(tags) | st.sampled_from(list("_*[]()~`>#|!\\\n<&;")) | st.text(max_size=5),
    max_size=12,
).map("".join)


@given(pieces, st.sampled_from(["HTML", "MarkdownV2", "Markdown", ""]))
def test_whatever_is_parsed_has_entities_inside_the_text(markup: str, mode: str) -> None:
    try:
        plain, found = formatted(markup, parse_mode=mode, raw_entities=None)
    except ApiError as error:
        event(str(error.code))
        return
    for entity in found:
        assert entity["offset"] >= 0
        assert entity["length"] > 0
        assert entity["offset"] + entity["length"] <= utf16_length(plain)
    assert len(check(plain, found)) == min(len(found), MAX_ENTITIES)
    assert plain == plain.rstrip()


@given(st.text(max_size=40))
def test_escaped_text_comes_back(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert parse_html(escaped)[0] == text
