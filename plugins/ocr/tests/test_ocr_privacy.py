from __future__ import annotations

import logging
from typing import Any

import pytest

from clawdbot_ocr.failures import EngineFailed
from clawdbot_ocr.reading import Picture, Reading
from clawdbot_ocr.recogniser import Seen
from clawdbot_ocr.wire import Answer, Job


def test_records_show_lengths_and_no_words() -> None:
    records = [Picture(b"secret"), Reading(("secret",)), Seen("secret", "x")]
    for record in [*records, Job(b"secret", 1, 1), Answer(("secret",))]:
        assert "secret" not in repr(record)


def test_no_word_and_no_byte_reaches_the_log(
    make_bot: Any, fake_reader: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        failing = (EngineFailed("x"), RuntimeError("canarywords"))
        bot = make_bot(fake_reader(Reading(("canarywords",)), *failing))
        document = ("canaryname.png", b"canarybytes", "image/png")
        assert "canarywords" in bot.say(document=document)
        assert "isn't working" in bot.say(document=document)
        assert "canary" not in bot.say("/ocr canaryargument", document=document)
    assert "canary" not in caplog.text
