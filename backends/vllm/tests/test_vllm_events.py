from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdbot_vllm.events import LONGEST_EVENT, EventStream

VALUES = st.text(
    st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=1, max_size=20
).filter(lambda value: value.strip() and not value.startswith(" "))
EVENTS = st.lists(st.lists(VALUES, min_size=1, max_size=3), max_size=6)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


@given(
    events=EVENTS,
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    noise=st.sampled_from(["", ": comment", "event: x", "id: 1", "retry: 10", "data"]),
    space=st.sampled_from(["", " "]),
    places=st.lists(st.integers(0, 10_000), max_size=30),
)
def test_any_cut_of_the_bytes_gives_the_same_events(
    events: list[list[str]], newline: str, noise: str, space: str, places: list[int]
) -> None:
    lines: list[str] = []
    for event in events:
        lines += [noise] if noise not in ("", "data") else []
        lines += [f"data:{space}{value}" for value in event]
        lines += [""]
    data = "".join(line + newline for line in lines).encode()
    stream = EventStream()
    found = [event for piece in cut(data, places) for event in stream.feed(piece)]
    assert found == ["\n".join(event).encode() for event in events]


@given(data=st.binary(max_size=300), places=st.lists(st.integers(0, 400), max_size=20))
def test_garbage_too_is_read_the_same_however_it_is_cut(data: bytes, places: list[int]) -> None:
    pieces = EventStream()
    assert EventStream().feed(data) == [
        event for piece in cut(data, places) for event in pieces.feed(piece)
    ]


def test_an_event_is_complete_with_its_empty_line() -> None:
    stream = EventStream()
    assert stream.feed(b"data: a\n") == []
    assert stream.feed(b"\ndata: [DONE]\n\n") == [b"a", b"[DONE]"]


def test_separators_of_text_are_no_ends_of_lines() -> None:
    text = "a\u2028b\x85c\x0bd"
    assert EventStream().feed(f"data: {text}\n\n".encode()) == [text.encode()]


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("start", [b"data: ", b": ", b""])
def test_a_line_without_end_is_refused(start: bytes, whole: bool) -> None:
    data = start + b"x" * (LONGEST_EVENT + 10)
    with pytest.raises(ValueError, match="without end"):
        stream = EventStream()
        if whole:
            stream.feed(data + b"\n\n")
        else:
            for at in range(0, len(data), 65536):
                stream.feed(data[at : at + 65536])


def test_an_event_of_endless_lines_is_refused() -> None:
    stream = EventStream()
    with pytest.raises(ValueError, match="without end"):
        for _ in range(20):
            stream.feed(b"data: " + b"x" * 65536 + b"\n")


def test_the_longest_line_is_taken() -> None:
    text = b"x" * (LONGEST_EVENT - 6)
    assert EventStream().feed(b"data: " + text + b"\n\n") == [text]
