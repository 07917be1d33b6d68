"""Replies of every kind vanish: streams, long ones, files' answers, notices, shared ones."""

from __future__ import annotations

from typing import Any

import pytest

from clawdbot_burn import Burn
from clawdcore import Attachment, Message, hookimpl
from clawdcore.testing import BOT, Group, Harness, User, untranslated

GROUP = Group(-1007)
LIN = User(7, "Lin")
ANNE = User(8, "Anne")
SPEAK = "@clawd_bot "


def texts(bot: Harness) -> list[str]:
    return [sent.text for sent in bot.telegram.shown()]


@pytest.mark.parametrize("failing", ["/broken", "/number x"])
def test_a_notice_leaves_the_wish_to_the_answer(burning: Harness, failing: str) -> None:
    burning.say("/burn 60")
    notice = burning.say(failing)
    assert notice
    burning.say("one")
    burning.advance(61)
    assert notice in texts(burning)
    assert "echo one" not in texts(burning)
    burning.say("two")
    burning.advance(61)
    assert "echo two" in texts(burning)


@pytest.mark.parametrize("failing", ["/broken", "/number x"])
def test_in_a_burning_chat_notices_vanish_too(burning: Harness, failing: str) -> None:
    burning.say("/burn on 1m")
    assert burning.say(failing)
    burning.advance(61)
    assert texts(burning) == []


@pytest.mark.parametrize("where", ["private", "group"])
@pytest.mark.parametrize("what", ["/grow", "/long"])
def test_all_parts_of_a_grown_or_long_answer_vanish_once(
    burning: Harness, what: str, where: str
) -> None:
    group = GROUP if where == "group" else None
    burning.admins(GROUP, LIN)
    addressed = "@clawd_bot" if group else ""
    burning.say(f"/burn{addressed} on 1m", chat=group, sender=LIN)
    burning.say(f"{what}{addressed}", chat=group, sender=LIN)
    answer = [sent for sent in burning.telegram.shown() if "word" in sent.text]
    assert len(answer) > 1
    burning.advance(50)
    assert [sent for sent in burning.telegram.shown() if "word" in sent.text] == answer
    burning.advance(30)
    assert texts(burning) == []
    assert len(burning.deleted) == len(set(burning.deleted))


def test_answers_to_files_vanish_with_the_files(burning: Harness) -> None:
    burning.say("/burn on 1m")
    burning.say("look", photo=b"p")
    burning.say("", voice=b"v")
    burning.say("", document=("a.txt", b"d", "text/plain"))
    burning.advance(61)
    assert texts(burning) == []
    assert {(said.chat, said.id) for said in burning.said} <= set(burning.deleted)


class Reads:
    """Says what is on pictures, as a plugin that reads them does."""

    @hookimpl
    def register_readers(self, register: Any) -> None:
        @register("photo")
        async def read(attachment: Attachment) -> str:
            return (await attachment.read()).decode()

    @hookimpl
    def register_handlers(self, register: Any) -> None:
        @register("photo")
        async def text(message: Message) -> str:
            return await message.text()


@pytest.mark.parametrize("rights", [True, False])
def test_what_was_read_in_an_album_vanishes_and_so_does_all_of_the_album(rights: bool) -> None:
    with Harness([Burn(), Reads()]) as bot:
        bot.admins(GROUP, LIN)
        bot.admins(GROUP, BOT.id, can_delete=rights)
        bot.say("/burn@clawd_bot on 1m", chat=GROUP, sender=LIN)
        command = bot.said[-1].id
        read = bot.album(b"one", b"two", b"three", text=SPEAK, chat=GROUP, sender=ANNE)
        assert "one\ntwo\nthree" in read
        bot.advance(62)
        assert not [text for text in texts(bot) if "two" in text]
        album = {(GROUP.id, said.id) for said in bot.said if said.id != command}
        assert len(album) == 3
        assert (album <= set(bot.deleted)) is rights
        assert bool(album & set(bot.deleted)) is rights


def test_in_a_group_several_askers_answers_vanish_once(burning: Harness) -> None:
    burning.admins(GROUP, LIN)
    burning.admins(GROUP, BOT.id, can_delete=True)
    burning.say("/burn@clawd_bot on 1m", chat=GROUP, sender=LIN)
    burning.send(SPEAK + "one", SPEAK + "two", chat=GROUP, sender=LIN)
    burning.send(SPEAK + "three", chat=GROUP, sender=ANNE)
    burning.settle()
    assert any("three" in text for text in texts(burning))
    burning.advance(62)
    assert texts(burning) == []
    assert {(GROUP.id, said.id) for said in burning.said} <= set(burning.deleted)
    assert len(burning.deleted) == len(set(burning.deleted))


def test_all_texts_are_translated(burning: Harness) -> None:
    assert untranslated(burning, "burn") == []
