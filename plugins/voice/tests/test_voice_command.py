from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from clawdbot_voice.failures import (
    EngineBusy,
    EngineCrashed,
    EngineFailed,
    EngineSlow,
    NoSpeech,
    NotAudio,
    NotInstalled,
    TooLong,
    WeightsMissing,
)
from clawdbot_voice.speech import Heard
from clawdcore import hookimpl
from clawdcore.testing import ADA, Group, User

Make = Callable[..., Any]
GROUP = Group()
HELLO = Heard("Hello there.", "en", 2, 3)
AGAIN = Heard("And again.", "en", 3, 3)
OGG = b"OggS some bytes"


def test_a_voice_message_in_private_is_written_down_with_its_language(
    make_bot: Make, fake_engine: Any
) -> None:
    engine = fake_engine(HELLO, AGAIN)
    bot = make_bot(engine)
    assert bot.say(voice=OGG) == "🎙 English · 0:03\n\nHello there. And again."
    assert engine.recordings[0].data == OGG
    assert engine.recordings[0].mime == "audio/ogg"


@pytest.mark.parametrize("kind", ["audio", "video_note"])
def test_so_are_audio_files_and_video_notes(kind: str, make_bot: Make, fake_engine: Any) -> None:
    bot = make_bot(fake_engine(HELLO))
    assert bot.say(**{kind: OGG}).endswith("Hello there.")


def test_the_language_is_named_in_the_readers_own(make_bot: Make, fake_engine: Any) -> None:
    bot = make_bot(fake_engine(Heard("Hola.", "es", 1, 1)))
    chinese = User(7, "Li", language="zh-hans")
    assert bot.say(voice=OGG, sender=chinese).startswith("🎙 西班牙语 · 0:01")


def test_chinese_pieces_are_joined_without_spaces(make_bot: Make, fake_engine: Any) -> None:
    bot = make_bot(fake_engine(Heard("你好。", "zh", 1, 2), Heard("再见。", "zh", 2, 2)))
    assert bot.say(voice=OGG).endswith("你好。再见。")


def test_without_auto_and_in_groups_nothing_is_written_down_unasked(
    make_bot: Make, fake_engine: Any
) -> None:
    engine = fake_engine(HELLO)
    make_bot(engine, auto=False).say(voice=OGG)
    make_bot(engine).say(voice=OGG, chat=GROUP)
    assert engine.recordings == []


@pytest.mark.parametrize("kind", ["voice", "audio", "video_note", "video"])
def test_transcribe_as_a_reply_in_a_group(kind: str, make_bot: Make, fake_engine: Any) -> None:
    bot = make_bot(fake_engine(HELLO))
    bot.say(**{kind: OGG}, chat=GROUP)
    said = bot.say("/transcribe", chat=GROUP, reply_to=bot.said[0])
    assert said == "🎙 English · 0:03\n\nHello there."


def test_transcribe_of_an_audio_file_that_was_sent_as_a_document(
    make_bot: Make, fake_engine: Any
) -> None:
    bot = make_bot(fake_engine(HELLO))
    bot.say(document=("talk.flac", OGG, "audio/flac"), chat=GROUP)
    assert bot.say("/transcribe", chat=GROUP, reply_to=bot.said[0]).endswith("Hello there.")


def test_transcribe_as_a_caption(make_bot: Make, fake_engine: Any) -> None:
    bot = make_bot(fake_engine(HELLO))
    said = bot.say("/transcribe", audio=OGG, chat=GROUP)
    assert said == "🎙 English · 0:03\n\nHello there."


def test_transcribe_with_nothing_answers_with_its_usage(make_bot: Make, fake_engine: Any) -> None:
    bot = make_bot(fake_engine(HELLO))
    alone = bot.say("/transcribe")
    assert alone.startswith("Reply with it to a voice message")
    assert "/transcribe" in alone.splitlines()[1]
    bot.say("no recording")
    assert "no recording in the message" in bot.say("/transcribe", reply_to=bot.said[-1])


def test_the_recording_is_heard_once_for_all_who_ask(make_bot: Make, fake_engine: Any) -> None:
    engine = fake_engine(HELLO)
    asked: list[str] = []

    class Asks:
        @hookimpl
        def register_handlers(self, register: Any) -> None:
            @register("voice")
            async def ask(message: Any) -> object:
                from clawdcore import PASS

                asked.append(await message.text())
                return PASS

    bot = make_bot(engine, {"before": [Asks()]})
    assert bot.say(voice=OGG) == "Hello there."
    assert asked == ["Hello there."]
    assert len(engine.recordings) == 1


class Echo:
    """Answers a voice message with what readers make of it."""

    @hookimpl
    def register_handlers(self, register: Any) -> None:
        @register("voice", "audio", "video", "video_note", "document")
        async def echo(message: Any) -> str:
            return f"<{await message.text()}>"


def test_the_reader_gives_other_plugins_the_text_alone(make_bot: Make, fake_engine: Any) -> None:
    bot = make_bot(fake_engine(HELLO, AGAIN), {"before": [Echo()]})
    assert bot.say("look:", voice=OGG) == "<look:\nHello there. And again.>"


def test_the_reader_leaves_out_videos_and_other_documents(make_bot: Make, fake_engine: Any) -> None:
    engine = fake_engine(HELLO)
    bot = make_bot(engine, {"before": [Echo()]})
    assert bot.say(video=OGG) == "<>"
    assert bot.say(document=("a.pdf", OGG, "application/pdf")) == "<>"
    assert bot.say(document=("a.mp3", OGG, "audio/mpeg")) == "<Hello there.>"
    assert len(engine.recordings) == 1


@pytest.mark.parametrize("error", [NoSpeech("a"), TooLong("a"), WeightsMissing("a")])
def test_the_reader_has_no_text_where_none_can_be_had(
    error: Exception, make_bot: Make, fake_engine: Any
) -> None:
    bot = make_bot(fake_engine(error), {"before": [Echo()]})
    assert bot.say(voice=OGG) == "<>"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NoSpeech("a"), "hear nobody speak"),
        (NotAudio("a"), "can't play this file"),
        (TooLong("a"), "at most 10:00 minutes"),
        (WeightsMissing("a"), "python -m clawdbot_voice base"),
        (NotInstalled("a"), 'pip install "clawdbot-voice[whisper]"'),
        (EngineBusy("a"), "again in a minute"),
        (EngineSlow("a"), "in time"),
        (EngineCrashed("a"), "broke down"),
        (EngineFailed("a"), "isn't working"),
    ],
)
def test_every_failure_has_its_sentence(
    error: Exception, words: str, make_bot: Make, fake_engine: Any
) -> None:
    bot = make_bot(fake_engine(error))
    answer = bot.say(voice=OGG)
    assert words in answer
    assert "\n" not in answer


def test_a_failure_in_the_middle_keeps_what_was_heard(make_bot: Make, fake_engine: Any) -> None:
    bot = make_bot(fake_engine(HELLO, EngineCrashed("a")))
    answer = bot.say(voice=OGG)
    assert answer.startswith("🎙 English · 0:03\n\nHello there.…")
    assert "[The text breaks off here. My speech engine broke down" in answer


def test_the_bounds_are_told_before_anything_is_heard(make_bot: Make, fake_engine: Any) -> None:
    engine = fake_engine(HELLO)
    assert "at most 0.5 MB" in make_bot(engine, maxMegabytes=0.5).say(voice=b"x" * 600_000)
    # A message's recording says that it lasts a second here.
    assert "at most 0:01 minutes" in make_bot(engine, maxSeconds=0.5).say(voice=OGG)
    assert engine.recordings == []


def test_a_file_that_telegram_does_not_give_is_told(make_bot: Make, fake_engine: Any) -> None:
    engine = fake_engine(HELLO)
    bot = make_bot(engine)
    bot.say("first", chat=GROUP)
    bot.telegram.files.clear()
    update = bot._message("", ADA, None, None, _voice())
    bot.telegram.files.clear()
    bot.inject(update)
    assert bot.sent
    assert engine.recordings == []


def _voice() -> Any:
    from clawdcore.testing.writing import Files

    return Files(voice=OGG)


def test_the_option_language_goes_to_the_engine(make_bot: Make, fake_engine: Any) -> None:
    engine = fake_engine(HELLO)
    make_bot(engine, language="de").say(voice=OGG)
    assert engine.recordings[0].language == "de"


def test_an_answer_that_is_given_up_leaves_the_engine(make_bot: Make, fake_engine: Any) -> None:
    engine = fake_engine(HELLO)

    class Hangs(fake_engine):  # type: ignore[misc]
        async def listen(self, recording: Any) -> Any:
            self.recordings.append(recording)
            try:
                yield HELLO
                await asyncio.sleep(10_000)
            finally:
                self.left += 1

    engine = Hangs()
    bot = make_bot(engine)
    assert "Hello there." in bot.say(voice=OGG)  # until the message's time is over
    assert engine.left == 1


def test_shutdown_closes_the_engine(make_bot: Make, fake_engine: Any) -> None:
    engine = fake_engine(HELLO)
    bot = make_bot(engine)
    bot.say(voice=OGG)
    bot.close()
    assert engine.closed
