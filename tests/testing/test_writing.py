"""What people write in a harness reaches the bot as it would from Telegram."""

from __future__ import annotations

from typing import Any

import pytest

from clawdcore import Message, hookimpl
from clawdcore.testing import ADA, Group, Harness, User

LIN = User(7, "Lin", language="zh-hans")


class Mirror:
    """Tells what it got."""

    def __init__(self) -> None:
        self.got: list[Message] = []

    @hookimpl
    def register_handlers(self, register: Any) -> None:
        @register("text", "photo", "voice", "audio", "video", "video_note", "document", "sticker")
        async def mirror(message: Message) -> str:
            self.got.append(message)
            files = [(each, await each.read()) for each in message.attachments]
            return "; ".join(
                f"{each.kind} {each.mime} {each.name} {data.decode()}" for each, data in files
            )


@pytest.mark.parametrize("kind", ["photo", "voice", "audio", "video", "video_note", "sticker"])
def test_a_file_comes_with_its_bytes_and_its_caption(kind: str) -> None:
    mirror = Mirror()
    with Harness([mirror]) as bot:
        answer = bot.say("look", **{kind: b"bytes"})  # type: ignore[arg-type]
    assert answer.split()[0] == kind
    assert answer.split()[-1] == "bytes"
    assert mirror.got[0].body == "look"
    assert mirror.got[0].kind == kind


def test_a_document_has_its_name_and_type() -> None:
    with Harness([Mirror()]) as bot:
        answer = bot.say(document=("a.pdf", b"pages", "application/pdf"))
    assert answer == "document application/pdf a.pdf pages"


def test_a_message_has_one_file() -> None:
    with Harness([Mirror()]) as bot, pytest.raises(ValueError, match="photo, voice"):
        bot.say(photo=b"a", voice=b"b")


def test_an_album_is_one_by_its_id() -> None:
    mirror = Mirror()
    with Harness([mirror]) as bot:
        bot.say(photo=b"a", album="7")
        bot.say(photo=b"b", album="7")
    assert [each.album for each in mirror.got] == ["7", "7"]
    assert mirror.got[0].id != mirror.got[1].id


def test_a_reply_to_a_person_carries_what_they_sent() -> None:
    mirror = Mirror()
    with Harness([mirror]) as bot:
        bot.say("see this", photo=b"picture", chat=Group(), sender=LIN)
        assert mirror.got == []
        bot.say("@clawd_bot what is it?", chat=Group(), reply_to=bot.said[0])
    quoted = mirror.got[0].reply_to
    assert quoted is not None
    assert (quoted.id, quoted.body, quoted.sender.name) == (bot.said[0].id, "see this", "Lin")
    assert [each.kind for each in quoted.attachments] == ["photo"]


def test_a_reply_to_the_bot_is_addressed_to_it() -> None:
    mirror = Mirror()
    with Harness([mirror]) as bot:
        bot.say("@clawd_bot see", photo=b"x", chat=Group())
        bot.say("and?", chat=Group(), reply_to=bot.sent[0])
    assert [each.body for each in mirror.got] == ["see", "and?"]
    assert [said.sender for said in bot.said] == [ADA, ADA]
