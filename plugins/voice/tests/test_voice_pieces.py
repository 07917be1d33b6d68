from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clawdbot_voice.pieces import pieces
from clawdbot_voice.speech import Span


@st.composite
def spans(draw: st.DrawFn) -> list[Span]:
    at, found = 0, []
    for gap, length in draw(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 200)))):
        found.append(Span(at + gap, at + gap + length))
        at += gap + length
    return found


@given(spans=spans(), most=st.integers(1, 100))
def test_every_sample_of_speech_is_in_one_piece_in_order(spans: list[Span], most: int) -> None:
    found = pieces(spans, most)
    heard = [i for piece in found for span in piece for i in range(span.start, span.end)]
    assert heard == [i for span in spans for i in range(span.start, span.end)]
    assert all(sum(span.length for span in piece) <= most for piece in found)


def test_spans_that_fit_are_heard_together() -> None:
    one, two, three = Span(0, 40), Span(50, 90), Span(500, 540)
    assert pieces([one, two, three], 100) == [(one, two), (three,)]


def test_without_speech_there_is_no_piece() -> None:
    assert pieces([]) == []
