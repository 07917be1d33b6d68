from __future__ import annotations

import json
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdbot_llamacpp.wire import LONGEST_EVENT, EventStream, decode, encode
from clawdcore import Request, Turn

TURNS = (Turn("system", "Be brief."), Turn("user", "Hi"))


def test_a_request_carries_its_turns_and_limits() -> None:
    request = Request(turns=TURNS, temperature=0.0, stop=("\n",))
    body = json.loads(encode(request, 50))
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
    ]
    assert (body["max_tokens"], body["temperature"], body["stop"]) == (50, 0.0, ["\n"])
    assert body["stream"] and body["return_progress"]


def test_what_is_not_asked_for_is_left_to_the_model() -> None:
    body = json.loads(encode(Request(turns=TURNS), 50))
    assert "temperature" not in body and "stop" not in body


def test_events_are_read_and_the_rest_is_left_out() -> None:
    stream = EventStream()
    assert stream.feed(b": ping\n\ndata: {}\r\n\r\nevent: x\ndata:  1\n\ndata: [DONE]\n\n") == [
        b"{}",
        b"1",
    ]


@given(st.lists(st.text(max_size=20), max_size=5), st.lists(st.integers(0, 200), max_size=5))
def test_any_text_survives_any_cut(texts: list[str], cuts: list[int]) -> None:
    sent = [json.dumps(text, ensure_ascii=False).encode() for text in texts]
    data = b"".join(b"data: " + item + b"\n\n" for item in sent)
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    stream = EventStream()
    got: list[bytes] = []
    for start, end in pairwise(edges):
        got += stream.feed(data[start:end])
    assert [json.loads(item) for item in got] == texts


def test_an_event_without_end_is_not_kept_forever() -> None:
    stream = EventStream()
    with pytest.raises(ValueError, match="without end"):
        for _ in range(3):
            stream.feed(b"x" * (LONGEST_EVENT // 2))


def test_a_refusal_is_read_without_its_message() -> None:
    body = {
        "error": {
            "code": 400,
            "message": "what somebody wrote",
            "type": "exceed_context_size_error",
            "n_prompt_tokens": 9000,
            "n_ctx": 4096,
        }
    }
    error = decode(json.dumps(body).encode()).error
    assert error is not None
    assert (error.type, error.n_prompt_tokens, error.n_ctx) == (
        "exceed_context_size_error",
        9000,
        4096,
    )
    assert "somebody" not in repr(error)


def test_what_is_no_event_is_an_error() -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode(b'{"choices": 5}')
