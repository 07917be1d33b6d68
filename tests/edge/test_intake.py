"""An answer of getUpdates as updates; whatever is broken costs only itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clawdcore.edge.intake import Broken, NoAnswer, Update, read_update, read_updates

GOOD = b'{"update_id":5,"message":{"text":"a \\" } ] b"}}'
NEXT = b'{"update_id":6,"message":{"text":"next"}}'

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def answer(*pieces: bytes) -> bytes:
    return b'{"ok":true,"result":[' + b",".join(pieces) + b"]}"


def test_a_good_answer() -> None:
    assert read_updates(answer(GOOD, NEXT)) == [Update(5, GOOD), Update(6, NEXT)]
    assert read_updates(answer()) == []


@given(json_values)
@example({"update_id": "5"})
@example({"update_id": 2**70})
@example({"update_id": 5.5})
def test_any_json_value_in_an_update_s_place(value: Any) -> None:
    found = read_updates(answer(json.dumps(value).encode(), NEXT))
    assert found[-1] == Update(6, NEXT)
    assert len(found) == 2


@given(st.binary(max_size=60).filter(lambda piece: b'"' not in piece and b"{" not in piece))
@example(b"\xff\xfe\x00")
@example(b'{"update_id":5,"message":{"text":"\xc3\x28"}')
@example(b'{"update_id":5,"message":{"te')
@example(b"}}]]")
def test_broken_bytes_in_an_update_s_place(piece: bytes) -> None:
    found = read_updates(answer(piece, NEXT))
    assert found[-1] == Update(6, NEXT)
    assert len(found) == 2 or not piece.strip(b" \t\r\n,]}")


@given(st.binary(max_size=200))
def test_any_bytes_in_an_answer_s_list(body: bytes) -> None:
    try:
        pieces = read_updates(answer(body))
    except NoAnswer:
        pytest.fail("an answer with anything in its list is still an answer")
    for piece in pieces:
        assert isinstance(piece, Update | Broken)


@given(st.binary(max_size=200))
@example(b"<html>Please log in to the network</html>")
@example(b'{"ok":false,"result":[]}')
@example(b'{"ok":false,"result":[{"update_id":5}]}')
@example(b'{"ok":false,"error_code":500,"description":"x"}')
@example(b'{"ok":true,"result":{}}')
@example(b'{"page":{"ok":true,"result":[{"update_id":5},]}}')
@example(answer(GOOD, NEXT)[:-2])
@example(answer(GOOD, NEXT)[:-20])
@example(b"")
def test_what_is_no_answer_holds_no_updates(body: bytes) -> None:
    with pytest.raises(NoAnswer):
        read_updates(body)


def test_a_broken_update_keeps_its_id() -> None:
    cut = b'{"update_id":5,"message":{"text":"cut'
    found = read_updates(answer(cut, NEXT))
    assert found == [Broken(5, "not valid JSON"), Update(6, NEXT)]


def test_nothing_is_quoted_from_a_broken_update() -> None:
    piece = read_update(b'{"update_id":"canary"}')
    assert isinstance(piece, Broken)
    assert "canary" not in piece.reason
