"""Whatever is written, Telegram takes what comes out, nothing is lost, and soon."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clawdcore.edge.markdown import parse_markdown
from clawdcore.testing.botapi.entities import around_code, check

PLAIN = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r#*_`~[]<>\\|$!-+.)&=:")
)
"""Text without a character that means something in Markdown."""
PIECES = [
    *"ab数😀 \n*_`$\\|!&<>.1", "**", "__", "~~", "***", "# ", "> ", "- ", "  ", "1. ", "**“", "”**",
    "|-|\n", "<b>", "---\n", "\n\n", "\u3000", "\t",
]  # fmt: skip
LINKS = ["```", "~~~", "[", "](", ")", "](https://a.bc)", "![", "<https://a.bc>", "$$\n", "\\["]
MARKED = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
ANYTHING = st.lists(st.sampled_from(PIECES + LINKS), max_size=40).map("".join) | st.text()


@settings(max_examples=300, deadline=None)
@given(PLAIN)
def test_text_without_markup_is_unchanged(source: str) -> None:
    assert parse_markdown(source) == (source, ())


@settings(max_examples=500, deadline=None)
@given(MARKED)
def test_no_word_is_lost_nor_moved(source: str) -> None:
    assume("```" not in source and "~~~" not in source)  # behind these stands a language
    left = iter(parse_markdown(source)[0])
    assert all(c in left for c in source if c.isalnum())


@settings(max_examples=500, deadline=None)
@given(ANYTHING)
def test_telegram_takes_what_comes_out(source: str) -> None:
    text, entities = parse_markdown(source)
    assert bool(text.strip()) == bool(source.strip())
    given = [_json(entity) for entity in entities]
    assert check(text, given) == given[:100]
    assert sorted(map(str, around_code(given))) == sorted(map(str, given))
    data = text.encode("utf-16-le", "surrogatepass")
    for entity in entities:
        span = data[entity.offset * 2 : (entity.offset + entity.length) * 2]
        over = span.decode("utf-16-le", "surrogatepass")
        assert over == (over.rstrip() if entity.type == "pre" else over.strip()) != ""
    spans = [(e.offset, e.offset + e.length) for e in entities]
    for start, end in spans:
        assert not any(a < start < b < end for a, b in spans), "they nest"
    quotes = [e for e in entities if e.type == "blockquote"]
    for one, other in pairwise(quotes):
        assert one.offset + one.length <= other.offset


def _json(entity: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"type": entity.type, "offset": entity.offset, "length": entity.length}
    made.update({k: v for k in ("url", "language") if (v := getattr(entity, k)) is not None})
    return msgspec.to_builtins(made)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "unit",
    [
        ">", "> ", "- ", "1. ", "> - ", "*", "**a ", "*a_ ", "**_a", "*_", "_", "~~", "~~a ", "`",
        "`` ` ", "[", "![", "[![", "](", "[]", "[a](b", "![a](", "[a](https://b.c)", "<", "<a",
        "\\", "$", "$a ", "\\[", "\\(", "$$\n", "|", "|\n", "|a|\n|-|\n", "a|b\n-|-\n", "#\n",
        "> a\n", "- a\n", "- - \n", "a\n- ", "```\n", "https://a.b/_", "\n", " ", "\u3000\n",
    ],
)  # fmt: skip
def test_a_hostile_text_takes_bounded_time(unit: str) -> None:
    source = (unit * 30_000)[:30_000]
    began = time.process_time()
    text, _ = parse_markdown(source)
    assert time.process_time() - began < 10, "a second at most where it was measured"
    assert len(text) <= 5 * len(source)
