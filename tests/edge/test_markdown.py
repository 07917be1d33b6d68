"""What models write, as text and entities."""

from __future__ import annotations

import pytest

from clawdcore.edge.markdown import ENTITY_LIMIT, foremost, parse_markdown
from clawdcore.edge.markup import Entity, units


def shown(source: str) -> tuple[str, list[tuple[str, str]]]:
    """The text, and of each entity its type and what it is over."""
    text, entities = parse_markdown(source)
    data = text.encode("utf-16-le")
    return text, [
        (e.type, data[e.offset * 2 : (e.offset + e.length) * 2].decode("utf-16-le"))
        for e in entities
    ]


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("**b** *i* ~~s~~ `c`", "b i s c", "bold:b italic:i strikethrough:s code:c"),
        ("***x***", "x", "italic:x bold:x"),
        ("😀 **y**", "😀 y", "bold:y"),
        ("# Title\ntext", "Title\ntext", "bold:Title"),
        ("# **Title** #", "Title", "bold:Title"),
        ("a\nb", "a\nb", ""),
        ("a\n\n\nb  \n c", "a\n\n\nb  \n c", ""),
        ("- a\n- b\n  1. c\n  2) d", "• a\n• b\n  1. c\n  2) d", ""),
        ("07. a\n\n    b", "07. a\n\n  b", ""),
        ("* a\n\n* b", "• a\n\n• b", ""),
        ("> a\n> b\n\nc", "a\nb\n\nc", "blockquote:a\nb"),
        ("> a\n>> b", "a\nb", "blockquote:a\nb"),
        ("a\n\n---\n\nb", "a\n\n──────────\n\nb", ""),
        ("heading\n---", "heading\n──────────", ""),
        ("<b>x</b> &amp; <!-- y -->", "<b>x</b> &amp; <!-- y -->", ""),
        ("snake_case_names, 2 * 3 * 4 = 2*3*4", "snake_case_names, 2 * 3 * 4 = 2*3*4", ""),
        (r"\*x\*", "*x*", ""),
        ("**cut", "**cut", ""),
        ("[cut](https://a", "[cut](https://a", ""),
        ("https://a.b/_c_?d=*", "https://a.b/_c_?d=*", ""),
        ("$a_1 * b_1 * c$ and $5 and **6$**", "$a_1 * b_1 * c$ and $5 and 6$", "bold:6$"),
        (r"\(x_1 \* y_1\) \[z\]", r"\(x_1 \* y_1\) \[z\]", ""),
        ("$$\n- a\n+ b\n$$\n*c*", "$$\n- a\n+ b\n$$\nc", "italic:c"),
        ("他说**“你好”**吗？**注意：**这", "他说“你好”吗？注意：这", "bold:“你好” bold:注意："),
        ("**「重点」**です", "「重点」です", "bold:「重点」"),
        ("[x](/y) [z](javascript:1)", "[x](/y) [z](javascript:1)", ""),
        ("[x](http://localhost)", "[x](http://localhost)", ""),
        ("<a@b.cd>", "a@b.cd", ""),
        ("-", "-", ""),
        ("a\n\n-", "a\n\n-", ""),
        ("#", "#", ""),
        ("    four spaces", "    four spaces", ""),
    ],
)
def test_what_is_written_and_what_is_shown(source: str, text: str, entities: str) -> None:
    found, spans = shown(source)
    assert found == text
    assert " ".join(f"{kind}:{over}" for kind, over in spans) == entities


def test_code_keeps_its_spaces_its_asterisks_and_its_language() -> None:
    assert parse_markdown("see:\n```py\n  *a*\n\n  b\n```\nend") == (
        "see:\n  *a*\n\n  b\nend",
        (Entity("pre", 5, 10, None, "py"),),
    )


def test_code_that_was_cut_off_is_code() -> None:
    assert parse_markdown("```\nx = **y") == ("x = **y", (Entity("pre", 0, 7),))


def test_words_behind_a_language_are_not_lost() -> None:
    assert shown("```py title=x\n1\n```") == ("py title=x\n1", [("pre", "1")])


def test_styles_are_interrupted_by_code() -> None:
    assert shown("**a `b` c**") == ("a b c", [("bold", "a"), ("code", "b"), ("bold", "c")])


def test_a_link_keeps_its_address_and_code_in_it_is_its_text() -> None:
    assert parse_markdown("**[`x`](https://a.b/c_d_e)**") == (
        "x",
        (Entity("bold", 0, 1), Entity("text_link", 0, 1, "https://a.b/c_d_e")),
    )


@pytest.mark.parametrize("url", ["https://a.b", "http://a.b:80/x", "tg://resolve", "mailto:a@b.c"])
def test_links_that_telegram_opens(url: str) -> None:
    assert parse_markdown(f"[x]({url})") == ("x", (Entity("text_link", 0, 1, url),))


def test_an_image_is_a_link() -> None:
    link = Entity("text_link", 0, 1, "https://a.b/c.png")
    assert parse_markdown("![x](https://a.b/c.png)") == ("x", (link,))
    assert shown("[![x](https://a.b/c.png)](https://d.e)")[0] == "x"


def test_a_link_without_words_shows_its_address() -> None:
    assert shown("[](https://a.b)") == ("https://a.b", [("text_link", "https://a.b")])


def test_a_table_is_in_columns_also_with_wide_characters() -> None:
    source = "| a | 数据 |\n|---|---:|\n| `long` | 1 |\n| [x](https://y.z) | **2** |"
    text = "\n".join(
        [
            "a               | 数据",
            "----------------+-----",
            "long            |    1",
            "x (https://y.z) |    2",
        ]
    )
    assert shown(source) == (text, [("pre", text)])


def test_a_table_whose_padding_would_be_long_or_that_has_too_many_cells_stays_as_written() -> None:
    wide = "|a|b|\n|-|-|\n" + "|" + "x" * 500 + "|y|\n" + "|1|2|\n" * 100
    assert shown(wide)[0] == wide.rstrip("\n") + "\n"
    many = "|a|\n|-|\n|b|c|"
    assert shown(many)[0] == many


def test_code_within_a_list_stands_below_its_bullet() -> None:
    assert shown("1. a:\n   ```\n   x\n   ```\n2. b") == ("1. a:\nx\n2. b", [("pre", "x")])


def test_entities_are_trimmed_and_none_is_empty() -> None:
    assert shown("> a\n>\n> &nbsp; ") == ("a\n\n&nbsp;", [("blockquote", "a\n\n&nbsp;")])
    assert shown("a ` ` b")[1] == []


def test_line_ends_become_newlines() -> None:
    assert parse_markdown("a\r\nb\rc")[0] == "a\nb\nc"


def test_too_deep_lists_and_quotes_are_text() -> None:
    assert "> > text" in parse_markdown("> " * 50 + "text")[0]
    assert parse_markdown("- " * 50 + "text")[0].endswith("- - text")


def test_of_too_many_entities_code_and_what_is_outside_stays() -> None:
    text, entities = parse_markdown("**a *b* c** " * 90 + "`d` " * 30)
    kept = foremost(entities)
    assert len(entities) == 210 and len(kept) == ENTITY_LIMIT
    assert [e.type for e in kept].count("code") == 30
    assert [e.type for e in kept].count("bold") == 70
    assert list(kept) == sorted(kept, key=lambda e: e.offset)
    assert foremost(entities[:100]) == entities[:100]
    assert entities[-1].offset + entities[-1].length <= units(text)
