from __future__ import annotations

import logging
from typing import Any

import pytest

from clawdbot_voice import Voice
from clawdbot_voice.options import VoiceOptions
from clawdbot_voice.speech import Heard, Recording, Segment
from clawdbot_voice.wire import Answer, Job
from clawdcore import Context
from clawdcore.testing import Harness


def notes(**options: Any) -> str | None:
    made = VoiceOptions.model_validate(options)
    context = Context(
        plugin="voice",
        options=made,
        models=None,  # type: ignore[arg-type]
        storage=None,  # type: ignore[arg-type]
        memory=None,  # type: ignore[arg-type]
        schedule=None,  # type: ignore[arg-type]
        clock=lambda: 0.0,
    )
    return Voice().privacy_notes("en", context)


def test_with_engines_on_this_machine_nothing_leaves_it() -> None:
    assert notes() is None


def test_a_server_is_named() -> None:
    said = notes(engines=["faster-whisper", "server"], serverModel="groq/whisper-large-v3")
    assert said is not None
    assert "groq" in said


def test_records_show_lengths_and_no_words() -> None:
    heard = Heard("secret words", "en", 1, 1)
    records = [Recording(b"secret"), heard, Segment("secret"), Job(b"secret", "en", 1)]
    for record in [*records, Answer(heard=heard)]:
        assert "secret" not in repr(record)


def test_no_word_and_no_byte_reaches_the_log(
    make_bot: Any, fake_engine: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        bot = make_bot(fake_engine(Heard("canarywords", "en", 1, 1), RuntimeError("canarywords")))
        assert "canarywords" in bot.say("canarycaption", voice=b"canarybytes")
    assert "canary" not in caplog.text


def test_without_weights_the_bot_starts_and_says_what_to_do(tmp_path: Any) -> None:
    config = {"plugins": [{"name": "voice", "options": {"cacheDir": str(tmp_path)}}]}
    with Harness([Voice()], config=config, network=True) as bot:
        assert not bot.report.disabled
        assert "python -m clawdbot_voice base" in bot.say(voice=b"OggS")
