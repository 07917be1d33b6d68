from __future__ import annotations

import pytest

from clawdbot_voice.faster import compression
from clawdbot_voice.plausible import joined, plausible
from clawdbot_voice.speech import Segment


@pytest.mark.parametrize(
    ("segment", "shown"),
    [
        (Segment(" Good morning.", 0.1, -0.3, 1.2), True),
        (Segment(" Good morning.", 0.9, -0.3, 1.2), True),
        (Segment(" Good morning.", 0.1, -1.2, 1.2), True),
        (Segment(" Thanks for watching!", 0.9, -1.2, 1.2), False),
        (Segment(" la la la la la la", 0.1, -0.3, 3.0), False),
        (Segment(" xqz", 0.1, -2.0, 1.0), False),
        (Segment(" ... ♪ ♪", 0.1, -0.3, 1.0), False),
        (Segment("", 0.0, 0.0, 1.0), False),
    ],
)
def test_only_what_the_model_is_sure_of_is_shown(segment: Segment, shown: bool) -> None:
    assert plausible(segment) is shown


def test_a_text_that_repeats_itself_compresses_well() -> None:
    assert compression("Thank you. " * 40) > 2.4 > compression("Good morning, how are you?")


def test_spaces_between_texts_are_the_languages_own() -> None:
    assert joined([" One.", "", " Two. "], "en") == "One. Two."
    assert joined(["一。", "二。"], "zh") == "一。二。"
