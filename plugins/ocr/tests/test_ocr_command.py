from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from clawdbot_ocr.failures import (
    EngineBusy,
    EngineCrashed,
    EngineFailed,
    EngineSlow,
    NoText,
    NotInstalled,
    NotPicture,
    TooManyPixels,
)
from clawdbot_ocr.reading import Reading
from clawdcore import PASS, hookimpl
from clawdcore.testing import Group, User

Make = Callable[..., Any]
GROUP = Group()
CHINESE = User(7, "Li", language="zh-hans")
SIGN = Reading(("The museum opens at nine.",), engine="fake")
PNG = b"\x89PNG some bytes"


def test_a_photo_in_private_is_read(make_bot: Make, fake_reader: Any) -> None:
    reader = fake_reader(SIGN)
    bot = make_bot(reader)
    assert bot.say(photo=PNG) == "The museum opens at nine."
    assert reader.pictures[0].data == PNG
    assert reader.pictures[0].mime == "image/jpeg"


@pytest.mark.parametrize(
    ("name", "mime", "read"),
    [
        ("a.png", "image/png", "image/png"),
        ("scan.TIFF", "", "image/tiff"),
        ("IMG_1.heic", "application/octet-stream", "image/heic"),
        ("a.webp", "image/webp", "image/webp"),
        ("a.pdf", "application/pdf", ""),
        ("notes.txt", "", ""),
    ],
)
def test_files_are_pictures_by_type_or_name(
    name: str, mime: str, read: str, make_bot: Make, fake_reader: Any
) -> None:
    reader = fake_reader(SIGN)
    said = make_bot(reader).say(document=(name, PNG, mime))
    assert [each.mime for each in reader.pictures] == ([read] if read else [])
    assert ("museum" in said) is bool(read)


def test_without_auto_in_groups_and_with_a_caption_nothing_is_read_unasked(
    make_bot: Make, fake_reader: Any
) -> None:
    reader = fake_reader(SIGN)
    make_bot(reader, auto=False).say(photo=PNG)
    make_bot(reader).say(photo=PNG, chat=GROUP)
    make_bot(reader).say("what a day", photo=PNG)
    assert reader.pictures == []


def test_ocr_as_a_reply_in_a_group(make_bot: Make, fake_reader: Any) -> None:
    bot = make_bot(fake_reader(SIGN))
    bot.say(photo=PNG, chat=GROUP)
    assert bot.say("/ocr", chat=GROUP, reply_to=bot.said[0]) == "The museum opens at nine."


def test_ocr_as_a_caption(make_bot: Make, fake_reader: Any) -> None:
    bot = make_bot(fake_reader(SIGN))
    assert bot.say("/ocr", photo=PNG, chat=GROUP) == "The museum opens at nine."


def test_the_same_picture_twice_is_read_twice(make_bot: Make, fake_reader: Any) -> None:
    bot = make_bot(fake_reader(SIGN, NoText("x")))
    bot.say(photo=PNG)
    assert "no text" in bot.say("/ocr", reply_to=bot.said[0])


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_ocr_without_a_picture_says_how(language: str, make_bot: Make, fake_reader: Any) -> None:
    bot = make_bot(fake_reader(SIGN))
    sender = User(8, "Li", language=language)
    alone = bot.say("/ocr", sender=sender)
    bot.say("hello", sender=sender)
    quoted = bot.say("/ocr", sender=sender, reply_to=bot.said[-1])
    assert "/ocr" in alone
    assert alone != quoted
    assert alone.isascii() is quoted.isascii() is (language == "en")


FAILURES = [
    (NoText("x"), "no text"),
    (NotPicture("x"), "damaged"),
    (TooManyPixels("x", pixels=81_000_000), "81.0 megapixels, and I take at most 50"),
    (NotInstalled("x", fix="apt install tesseract-ocr"), "apt install tesseract-ocr"),
    (EngineBusy("x"), "in a minute"),
    (EngineSlow("x"), "in time"),
    (EngineCrashed("x"), "broke down"),
    (EngineFailed("x"), "isn't working"),
]


@pytest.mark.parametrize(("error", "words"), FAILURES, ids=lambda it: type(it).__name__)
def test_every_failure_has_its_sentence(
    error: Exception, words: str, make_bot: Make, fake_reader: Any
) -> None:
    bot = make_bot(fake_reader(error, error))
    said = bot.say(photo=PNG)
    assert words in said
    assert "\n" not in said
    assert not bot.say(photo=PNG, sender=CHINESE).isascii()
    assert not bot.report.disabled


def test_a_file_that_is_too_large_is_not_fetched(make_bot: Make, fake_reader: Any) -> None:
    reader = fake_reader(SIGN)
    bot = make_bot(reader, maxMegabytes=0.001)
    assert "0.002 MB" not in bot.say(photo=b"x" * 2000)
    assert "at most 0.001 MB" in bot.sent[-1].text
    assert reader.pictures == []


def test_a_file_that_telegram_does_not_give_is_told(make_bot: Make, fake_reader: Any) -> None:
    bot = make_bot(fake_reader(SIGN))
    bot.say(photo=PNG, chat=GROUP)
    bot.telegram.files.clear()
    said = bot.say("/ocr", chat=GROUP, reply_to=bot.said[0])
    assert said == "Telegram did not give me this file. Please send it again."


def test_pages_have_numbers_and_what_was_left_out_is_told(make_bot: Make, fake_reader: Any) -> None:
    bot = make_bot(fake_reader(Reading(("one", "", "three"), more=2)))
    said = bot.say(document=("a.tiff", PNG, "image/tiff"))
    assert said == (
        "📄 1/5\none\n\n📄 2/5\n(no text)\n\n📄 3/5\nthree\n\n[I read 3 pages at most.]"
    )


def test_markup_in_a_picture_is_text(make_bot: Make, fake_reader: Any) -> None:
    bot = make_bot(fake_reader(Reading(("<b>5 * 3</b> _x_ [a](http://b)",))))
    assert bot.say(photo=PNG) == "<b>5 * 3</b> _x_ [a](http://b)"
    assert bot.sent[0].entities == ()


class Shouting:
    """Answers with the text of a message, in capitals."""

    @hookimpl
    def register_handlers(self, register: Any) -> None:
        @register("photo")
        async def shout(message: Any) -> str:
            return str((await message.text()).upper())


def test_others_get_caption_and_text(make_bot: Make, fake_reader: Any) -> None:
    bot = make_bot(fake_reader(SIGN), others={"after": [Shouting()]})
    assert bot.say("read:", photo=PNG) == "READ:\nTHE MUSEUM OPENS AT NINE."


def test_for_others_a_picture_without_text_adds_nothing(make_bot: Make, fake_reader: Any) -> None:
    for error in (NoText("x"), NotPicture("x"), EngineSlow("x")):
        bot = make_bot(fake_reader(error), others={"after": [Shouting()]})
        assert bot.say("caption", photo=PNG) == "CAPTION"


def test_what_another_plugin_has_read_is_not_read_again(make_bot: Make, fake_reader: Any) -> None:
    class Before:
        """Reads all pictures."""

        @hookimpl
        def register_readers(self, register: Any) -> None:
            @register("photo")
            async def read(attachment: Any) -> str:
                return "from another reader"

    reader = fake_reader(SIGN)
    bot = make_bot(reader, others={"before": [Before()]})
    assert bot.say(photo=PNG) == "from another reader"
    assert reader.pictures == []


class First:
    """Reads every message, and leaves it to others."""

    @hookimpl
    def register_handlers(self, register: Any) -> None:
        @register("photo")
        async def look(message: Any) -> object:
            await message.text()
            return PASS


@pytest.mark.parametrize(("error", "words"), FAILURES, ids=lambda it: type(it).__name__)
def test_who_reads_first_and_passes_hides_no_reason(
    error: Exception, words: str, make_bot: Make, fake_reader: Any
) -> None:
    reader = fake_reader(error)
    assert words in make_bot(reader, others={"before": [First()]}).say(photo=PNG)
    assert len(reader.pictures) == 1


def test_who_reads_first_and_passes_hides_no_text(make_bot: Make, fake_reader: Any) -> None:
    bot = make_bot(fake_reader(SIGN), others={"before": [First()]})
    assert bot.say(photo=PNG) == "The museum opens at nine."


def test_a_picture_that_could_be_read_at_last_has_no_old_reason(
    make_bot: Make, fake_reader: Any
) -> None:
    reader = fake_reader(EngineSlow("slow."), SIGN, SIGN)
    bot = make_bot(reader, others={"before": [First()]}, auto=False)
    bot.say(photo=PNG)
    sent = bot.said[0]
    assert bot.say("/ocr", reply_to=sent) == "The museum opens at nine."
    assert bot.say("/ocr", reply_to=sent) == "The museum opens at nine."


def test_what_an_engine_lacks_is_one_whole_line_in_the_log(
    make_bot: Make, fake_reader: Any, caplog: pytest.LogCaptureFixture
) -> None:
    bot = make_bot(
        fake_reader(
            EngineSlow("it took too long."), NotInstalled("no tesseract.", fix="Install it.")
        )
    )
    bot.say(photo=PNG)
    bot.say(photo=PNG)
    lines = [r.getMessage() for r in caplog.records if "text recognition" in r.getMessage()]
    assert lines == [
        "text recognition: it took too long. (EngineSlow)",
        "text recognition: no tesseract. Install it. (NotInstalled)",
    ]


def test_when_its_time_is_over_the_reading_is_given_up(make_bot: Make, fake_reader: Any) -> None:
    reader = fake_reader(..., SIGN)  # the first is never done
    bot = make_bot(reader)
    bot.send("", photo=PNG)
    bot.advance(700)
    assert reader.given_up == 1
    assert bot.sent  # the message's time is over, and that is told


def test_the_reader_is_closed_with_the_bot(make_bot: Make, fake_reader: Any) -> None:
    reader = fake_reader(SIGN)
    make_bot(reader).close()
    assert reader.closed
