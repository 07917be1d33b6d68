"""What others do: bots, edits, links, albums, and people who press what isn't theirs."""

from __future__ import annotations

from typing import Any

import pytest

from clawdcore import Attachment, RegisterReader, hookimpl
from clawdcore.testing import ADA, Group, User

Bot = Any
MakeBot = Any
GROUP = Group()
BOB = User(202, "Bob", language="en")
WEI = User(102, "Wei", language="zh-hans")
FRENCH = "je ne sais pas où est la gare"
GERMAN = "Wir warten am Bahnhof auf dich."
TEXT = "We are waiting for you at the station."


@pytest.fixture
def listening(bot: Bot) -> Bot:
    """A bot in a group in which it translates what is foreign."""
    bot.admins(GROUP, ADA)
    bot.say("/auto on en", chat=GROUP)
    return bot


def from_bot(text: str) -> dict[str, Any]:
    return {"from": {"id": 303, "is_bot": True, "first_name": "Other"}, "text": text}


def test_auto_leaves_other_bots_alone_so_that_two_never_talk_for_ever(listening: Bot) -> None:
    assert listening.update(from_bot(FRENCH), sender=BOB, chat=GROUP) == ""
    assert listening.prompts() == []


@pytest.mark.parametrize(
    "text", ["https://example.org/gare", "https://example.org\nhttps://example.com", "@ada @bob"]
)
def test_auto_leaves_bare_links_and_names_alone(listening: Bot, text: str) -> None:
    assert listening.say(text, sender=BOB, chat=GROUP) == ""
    assert listening.prompts() == []


def test_auto_does_not_translate_an_edit_again(listening: Bot) -> None:
    listening.model.enqueue("I don't know where the station is.")
    listening.say(FRENCH, sender=BOB, chat=GROUP)
    said = listening.said[-1].message
    edited = {**said, "text": f"{FRENCH} !", "edit_date": said["date"] + 9}
    before = len(listening.sent)
    listening.inject({"edited_message": edited})
    assert len(listening.sent) == before
    assert len(listening.prompts()) == 1


def test_somebody_else_may_press_and_reads_the_offer_in_their_language(bot: Bot) -> None:
    bot.model.enqueue(GERMAN)
    bot.say(f"/translate@clawd_bot de {TEXT}", chat=GROUP)
    bot.press("Other language", sender=WEI)
    assert "法语" in bot.buttons
    bot.press("返回", sender=WEI)
    assert bot.buttons == ["其他语言", "显示原文"]


def test_pressing_twice_changes_nothing_more(bot: Bot) -> None:
    bot.model.enqueue(GERMAN)
    bot.say(f"/translate de {TEXT}")
    shown = bot.sent[-1]
    bot.press("Show original")
    bot.press("Show translation")
    bot.press("Show original")
    assert (len(bot.sent), bot.sent[-1].text) == (1, TEXT)
    assert [text for _, _, text in bot.edits] == [TEXT, GERMAN, TEXT]
    assert shown.text == GERMAN


@pytest.mark.parametrize(("signs", "messages"), [(2_000, 1), (2_100, 3)])
def test_how_long_an_original_is_is_counted_as_telegram_does(
    bot: Bot, signs: int, messages: int
) -> None:
    bot.model.enqueue(*[GERMAN] * 40)  # one for each part of the text
    wide = "𠀀" * signs  # two units each, and a message has 4,096
    assert bot.reply("/translate de", {"text": wide}).startswith(GERMAN)
    bot.press("Show original")
    assert len(bot.sent) == messages
    assert bot.sent[0].text.startswith("𠀀") is (messages == 1)  # else it stays, and two follow


class Album:
    """Reads each picture as its bytes say; ``broken`` raises."""

    @hookimpl
    def register_readers(self, register: RegisterReader) -> None:
        @register("photo")
        async def read(attachment: Attachment) -> str:
            data = await attachment.read()
            if data == b"broken":
                raise ValueError("pixels")
            return data.decode()


def test_an_album_comes_back_as_one_text_and_its_translation(make_bot: MakeBot) -> None:
    bot = make_bot(Album())
    bot.model.enqueue("I don't know where the station is. I'm waiting for the train.")
    answer = bot.album(FRENCH.encode(), b"j'attends le train depuis une heure")
    assert answer == (
        f"{FRENCH}\nj'attends le train depuis une heure"
        "\n\n→ I don't know where the station is. I'm waiting for the train."
    )


def test_a_picture_that_can_not_be_read_does_not_lose_the_others(make_bot: MakeBot) -> None:
    bot = make_bot(Album())
    bot.model.enqueue("I don't know where the station is.")
    answer = bot.album(b"broken", FRENCH.encode())
    assert answer == f"{FRENCH}\n\n→ I don't know where the station is."
    assert bot.books.open == 0


def test_a_picture_that_nobody_can_read_is_answered_all_the_same(make_bot: MakeBot) -> None:
    bot = make_bot(Album())
    assert bot.say(photo=b"broken")
    assert bot.prompts() == []
