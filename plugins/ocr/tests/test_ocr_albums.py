from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clawdbot_ocr.failures import NoText, NotPicture
from clawdbot_ocr.reading import Reading
from clawdcore import PASS, hookimpl
from clawdcore.testing import Group

Make = Callable[..., Any]
GROUP = Group()
ONE, TWO = Reading(("one",)), Reading(("two",))


def test_an_album_is_one_request_and_one_reply(make_bot: Make, fake_reader: Any) -> None:
    bot = make_bot(fake_reader(ONE, TWO))
    assert bot.album(b"a", b"b") == "🖼 1/2\none\n\n🖼 2/2\ntwo"
    assert len(bot.sent) == 1
    assert bot.books.answered == 2


def test_the_caption_of_an_album_is_a_command_for_all_of_it(
    make_bot: Make, fake_reader: Any
) -> None:
    bot = make_bot(fake_reader(ONE, TWO))
    said = bot.album(b"a", ("b.png", b"b", "image/png"), text="/ocr", chat=GROUP)
    assert said == "🖼 1/2\none\n\n🖼 2/2\ntwo"


def test_what_fails_says_so_in_its_place_and_loses_nothing(
    make_bot: Make, fake_reader: Any
) -> None:
    bot = make_bot(fake_reader(ONE, NoText("x"), NotPicture("x"), TWO))
    said = bot.album(b"a", b"b", b"c", b"d")
    first, second, third, fourth = said.split("\n\n")
    assert first == "🖼 1/4\none"
    assert second == "🖼 2/4\nI see no text in this picture."
    assert third.startswith("🖼 3/4\nI can't open this file")
    assert fourth == "🖼 4/4\ntwo"


def test_a_file_that_can_t_be_had_loses_nothing(make_bot: Make, fake_reader: Any) -> None:
    bot = make_bot(fake_reader(TWO))
    bot.send("", photo=b"a", album="7")
    bot.telegram.files.clear()
    bot.send("", photo=b"b", album="7")
    bot.settle()
    first, second = bot.sent[0].text.split("\n\n")
    assert first == "🖼 1/2\nTelegram did not give me this file. Please send it again."
    assert second == "🖼 2/2\ntwo"


def test_documents_that_are_no_pictures_are_left_out(make_bot: Make, fake_reader: Any) -> None:
    reader = fake_reader(ONE)
    said = make_bot(reader).album(("a.png", b"a", "image/png"), ("b.pdf", b"b", "application/pdf"))
    assert said == "one"
    assert len(reader.pictures) == 1


def test_others_get_the_text_of_all_pictures(make_bot: Make, fake_reader: Any) -> None:
    class Joined:
        """Answers with the text of a message."""

        @hookimpl
        def register_handlers(self, register: Any) -> None:
            @register("photo")
            async def tell(message: Any) -> str:
                return str(await message.text())

    bot = make_bot(fake_reader(ONE, TWO), others={"after": [Joined()]})
    assert bot.album(b"a", b"b", text="see") == "see\none\ntwo"


class First:
    """Reads every message, and leaves it to others."""

    @hookimpl
    def register_handlers(self, register: Any) -> None:
        @register("photo")
        async def look(message: Any) -> object:
            await message.text()
            return PASS


def test_an_album_that_somebody_read_before_keeps_its_texts_and_its_reasons(
    make_bot: Make, fake_reader: Any
) -> None:
    bot = make_bot(fake_reader(ONE, NoText("x"), TWO), others={"before": [First()]})
    assert bot.album(b"a", b"b", b"c") == "one\ntwo\n\n🖼 2/3\nI see no text in this picture."


def test_beside_a_reader_for_photos_alone_the_others_of_an_album_are_read(
    make_bot: Make, fake_reader: Any
) -> None:
    class Photos:
        """Reads photos and no documents."""

        @hookimpl
        def register_readers(self, register: Any) -> None:
            @register("photo")
            async def read(attachment: Any) -> str:
                return "a photo"

    bot = make_bot(fake_reader(ONE), others={"before": [Photos()]})
    assert "🖼 2/2\none" in bot.album(b"a", ("b.png", b"b", "image/png"))
