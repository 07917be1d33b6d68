from __future__ import annotations

import pytest

from clawdbot_voice import texts
from clawdbot_voice.failures import (
    CODES,
    EngineBusy,
    EngineCrashed,
    EngineSlow,
    FileRefused,
    TooLarge,
    TooLong,
)
from clawdbot_voice.failures import VoiceError as Error
from clawdbot_voice.languages import code_of, name_of


def errors() -> list[Error]:
    made: list[Error] = [kind("x") for kind in CODES.values()]
    others = [EngineBusy("x"), EngineCrashed("x"), EngineSlow("x"), FileRefused("x")]
    return [*made, *others, TooLarge("x", size=9)]


@pytest.mark.parametrize("error", errors(), ids=lambda error: type(error).__name__)
def test_every_failure_is_one_line_in_english_and_chinese(error: Error) -> None:
    told = {
        language: texts.failed(error, language, seconds=90, megabytes=20, command="fetch it")
        for language in ("en", "zh-hans", "fr")
    }
    assert told["en"].isascii()
    assert told["fr"] == told["en"]
    assert not told["zh-hans"].isascii()
    assert "\n" not in told["en"]


def test_bounds_are_named() -> None:
    bounds = {"seconds": 90.0, "megabytes": 2.5, "command": ""}
    assert "1:30" in texts.failed(TooLong("x"), "en", **bounds)  # type: ignore[arg-type]
    large = texts.failed(TooLarge("x", size=3_100_000), "en", **bounds)  # type: ignore[arg-type]
    assert "3.1 MB" in large
    assert "2.5 MB" in large


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.2, "0:01"), (59.6, "1:00"), (61, "1:01"), (3725, "1:02:05")]
)
def test_durations(seconds: float, shown: str) -> None:
    assert texts.clock(seconds) == shown


def test_languages_by_code_and_name() -> None:
    assert [code_of(name) for name in ("en", "English", "spanish", "jw", "", "?")] == [
        *("en", "en", "es", "jv", "", "")
    ]
    assert name_of("es", "en") == "Spanish"
    assert name_of("es", "zh-hans") == "西班牙语"
    assert name_of("es", "no such tag") == "Spanish"
    assert name_of("xx", "en") == "xx"


def test_the_heading_leaves_out_what_is_not_known() -> None:
    assert texts.heading("", 0, "en") == ""
    assert texts.heading("en", 0, "en") == "🎙 English\n\n"
    assert texts.heading("", 5, "en") == "🎙 0:05\n\n"
