"""Long texts as messages."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clawdcore.edge.markup import Entity, units
from clawdcore.edge.splitting import split

# Surrogates can't come from JSON text that msgspec decoded; everything else can.
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=300)


def test_short_text_stays() -> None:
    assert split("hello") == [("hello", ())]
    assert split(" \n ") == []


def test_cuts_at_paragraphs_then_lines_then_sentences_then_words() -> None:
    assert [t for t, _ in split("aaaa bbbb\n\ncc dd\nee", limit=16)] == ["aaaa bbbb", "cc dd\nee"]
    assert [t for t, _ in split("aaaa. bbbb ccccc dd", limit=16)] == ["aaaa.", "bbbb ccccc dd"]
    assert [t for t, _ in split("aaaabbbb cccccccc", limit=16)] == ["aaaabbbb", "cccccccc"]
    assert [t for t, _ in split("今天天气很好。我们去公园散步吧朋友", limit=16)] == [
        "今天天气很好。",
        "我们去公园散步吧朋友",
    ]


def test_an_emoji_is_never_halved() -> None:
    pieces = split("x" + "😀" * 20, limit=16)
    assert "".join(text for text, _ in pieces) == "x" + "😀" * 20
    assert all(units(text) <= 16 for text, _ in pieces)


def test_joined_emoji_and_accents_stay_whole_where_they_fit() -> None:
    family = "👩‍👩‍👧"
    assert [t for t, _ in split("x" * 12 + family + "y", limit=16)] == ["x" * 12, family + "y"]
    accented = "x" * 15 + "a\u0301" + "y" * 4
    assert [t for t, _ in split(accented, limit=16)] == ["x" * 15, "a\u0301yyyy"]


def test_an_entity_goes_whole_into_the_next_message() -> None:
    pieces = split("aaaa bbbb cccc dddd", (Entity("bold", 10, 9),), limit=16)
    assert pieces == [("aaaa bbbb", ()), ("cccc dddd", (Entity("bold", 0, 9),))]


def test_an_entity_longer_than_a_message_keeps_its_style_in_each() -> None:
    pieces = split("a" * 40, (Entity("code", 0, 40),), limit=16)
    assert [len(text) for text, _ in pieces] == [16, 16, 8]
    assert [entities for _, entities in pieces] == [
        (Entity("code", 0, 16),),
        (Entity("code", 0, 16),),
        (Entity("code", 0, 8),),
    ]


def test_a_limit_must_leave_room() -> None:
    with pytest.raises(ValueError, match="too small"):
        split("x", limit=15)


@given(texts, st.integers(16, 64), st.lists(st.tuples(st.integers(0, 200), st.integers(1, 200))))
@example("0000000𐀀𐀀000000", 16, [(10, 7)])
def test_nothing_is_lost_and_every_piece_fits(
    text: str, limit: int, spans: list[tuple[int, int]]
) -> None:
    whole = units(text)
    entities = tuple(
        Entity("bold", offset, min(length, whole - offset))
        for offset, length in spans
        if offset < whole
    )
    pieces = split(text, entities, limit)
    assert "".join("".join(t.split()) for t, _ in pieces) == "".join(text.split())
    for piece, inside in pieces:
        assert piece == piece.strip()
        assert 0 < units(piece) <= limit
        for entity in inside:
            assert 0 <= entity.offset < entity.offset + entity.length <= units(piece)
