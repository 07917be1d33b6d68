"""Three minutes of sound through the whole bot: one message that grows, and nothing lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from clawdbot_voice.speech import Heard
from clawdcore.testing import Group

GROUP = Group()
SECONDS = 180
LAST = 28
"""Seconds of speech in a piece."""
WORDS = [f"word{number}" for number in range(400)]
PIECES = [
    Heard(" ".join(WORDS[at : at + 60]), "en", (at + 60) * 0.45, SECONDS)
    for at in range(0, len(WORDS), 60)
]


@pytest.fixture
def slow_engine(fake_engine: Any) -> Any:
    """Hears a piece in ten seconds, as a busy machine does."""

    class Slow(fake_engine):  # type: ignore[misc]
        async def listen(self, recording: Any) -> Any:
            for piece in self.pieces:
                await asyncio.sleep(10)
                yield piece

    return Slow(*PIECES)


def spoken(text: str) -> list[str]:
    """The words below the heading."""
    heading, _, words = text.partition("\n\n")
    assert heading == "🎙 English · 3:00"
    return words.split()


def test_in_private_the_text_grows_and_is_one_message_in_the_end(
    make_bot: Callable[..., Any], slow_engine: Any
) -> None:
    bot = make_bot(slow_engine)
    assert spoken(bot.say(voice=b"OggS")) == WORDS
    assert len(bot.sent) == 1
    grown = [spoken(text) for _, text in bot.telegram.drafts if text.strip()]
    assert len({len(each) for each in grown}) >= 3
    for before, after in zip(grown, [*grown[1:], WORDS], strict=True):
        assert after[: len(before)] == before


def test_in_a_group_one_message_is_edited(make_bot: Callable[..., Any], slow_engine: Any) -> None:
    bot = make_bot(slow_engine)
    bot.say(voice=b"OggS", chat=GROUP)
    bot.say("/transcribe", chat=GROUP, reply_to=bot.said[0])
    (sent,) = bot.sent
    assert spoken(sent.text) == WORDS
    assert {(chat, number) for chat, number, _ in bot.telegram.edits} == {(GROUP.id, sent.id)}
    assert len(bot.telegram.edits) >= 3


def test_every_second_of_speech_is_heard_once_and_in_order(
    make_bot: Callable[..., Any], make_engine: Callable[..., Any], sounds: Any
) -> None:
    # Each second has a pitch of its own; every ninth is silent.
    loud = [second for second in range(SECONDS) if second % 9 != 8]
    melody = np.concatenate(
        [
            sounds.tone(1, loud=0.3 * (second in set(loud)), pitch=500.0 + 10 * second)
            for second in range(SECONDS)
        ]
    )
    engine = make_engine("pitches", most=600.0)
    bot = make_bot(engine, {"network": True})
    said = bot.say(voice=sounds.file(melody))
    assert said.startswith("🎙 Spanish · 3:00\n\n")
    heard = [int(word) for word in said.partition("\n\n")[2].split()]
    assert heard == [500 + 10 * second for second in loud]
    assert len(loud) > 5 * LAST
    assert len(bot.sent) == 1
