from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from clawdbot_voice.decoding import RATE, Samples
from clawdbot_voice.failures import NoSpeech
from clawdbot_voice.pieces import PIECE
from clawdbot_voice.recogniser import recognise
from clawdbot_voice.speech import Segment, Span


class Fake:
    """Speaks all the time; ``languages`` and ``texts`` are what it hears, a piece each."""

    def __init__(
        self,
        spans: Sequence[Span],
        languages: Sequence[tuple[str, float]],
        texts: Sequence[Segment],
    ) -> None:
        self._spans = spans
        self._languages = list(languages)
        self._texts = list(texts)
        self.asked: list[str] = []

    def spans(self, samples: Samples) -> Sequence[Span]:
        return self._spans

    def language(self, samples: Samples) -> tuple[str, float]:
        return self._languages.pop(0)

    def segments(self, samples: Samples, language: str) -> Sequence[Segment]:
        self.asked.append(language)
        return [self._texts.pop(0)]


SILENCE = np.zeros(4 * PIECE, np.float32)
SURE = Segment(" Yes.", 0.1, -0.2, 1.0)
INVENTED = Segment(" Thanks for watching!", 0.9, -1.5, 1.0)


def test_nobody_speaks() -> None:
    with pytest.raises(NoSpeech):
        list(recognise(Fake([], [], []), SILENCE))


def test_what_is_invented_in_all_pieces_is_no_speech() -> None:
    fake = Fake([Span(0, RATE)], [("en", 0.9)], [INVENTED])
    with pytest.raises(NoSpeech):
        list(recognise(fake, SILENCE))


def test_what_is_invented_in_one_piece_is_left_out() -> None:
    fake = Fake([Span(0, PIECE + RATE)], [("en", 0.9)], [SURE, INVENTED])
    assert [heard.text for heard in recognise(fake, SILENCE)] == ["Yes.", ""]


def test_an_unsure_language_is_listened_for_in_more_pieces() -> None:
    fake = Fake([Span(0, 2 * PIECE)], [("cy", 0.3), ("en", 0.8)], [SURE, SURE])
    assert {heard.language for heard in recognise(fake, SILENCE)} == {"en"}
    assert fake.asked == ["en", "en"]


def test_the_likeliest_is_taken_where_none_is_sure() -> None:
    fake = Fake([Span(0, 4 * PIECE)], [("cy", 0.3), ("en", 0.4), ("nn", 0.2)], [SURE] * 4)
    assert {heard.language for heard in recognise(fake, SILENCE)} == {"en"}


def test_a_language_that_was_given_is_not_looked_for() -> None:
    fake = Fake([Span(0, RATE)], [], [SURE])
    assert [heard.language for heard in recognise(fake, SILENCE, "de")] == ["de"]


def test_a_model_is_told_its_own_name_of_a_language() -> None:
    fake = Fake([Span(0, RATE)], [], [SURE])
    list(recognise(fake, SILENCE, "jv"))
    assert fake.asked == ["jw"]
