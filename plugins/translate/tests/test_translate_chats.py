"""``/lang``, ``/auto``, ``/detect``, ``/languages``, and what is translated unasked."""

from __future__ import annotations

from typing import Any

import pytest

from clawdcore import BackendUnavailable
from clawdcore.testing import ADA, Group, User
from clawdcore.testing.telegram import BOT

Bot = Any
GROUP = Group()
BOB = User(202, "Bob", language="en")
UWE = User(103, "Uwe", language="de")
WEI = User(102, "Wei", language="zh-hans")
FRENCH = "je ne sais pas où est la gare"
GERMAN = "wir sehen uns morgen am Bahnhof"
ENGLISH = "we are waiting for you at the station"


@pytest.fixture
def group(bot: Bot) -> Bot:
    """A bot in a group whose admin is Ada."""
    bot.admins(GROUP, ADA)
    return bot


def test_a_chats_languages_are_shown_and_set(bot: Bot) -> None:
    assert bot.say("/lang").startswith("No languages are set")
    assert bot.say("/lang german, Simplified Chinese") == (
        "Languages of this chat: German, Simplified Chinese"
    )
    assert bot.say("/lang") == "Languages of this chat: German, Simplified Chinese"
    assert bot.say("/lang", sender=UWE).startswith("No languages")  # another chat
    assert bot.say("/lang off").startswith("No languages are set")


def test_what_is_no_language_is_told_with_an_example(bot: Bot) -> None:
    answer = bot.say("/lang german klingonish")
    assert answer.startswith("I know no language “klingonish”.")
    assert "Example: /lang en zh" in answer
    assert "at most 5" in bot.say("/lang en de fr es it pt")


def test_a_chats_languages_come_before_the_askers(bot: Bot) -> None:
    bot.say("/lang fr de")
    bot.model.enqueue("Nous vous attendons à la gare.", "Ich weiß nicht, wo der Bahnhof ist.")
    bot.say(f"/translate {ENGLISH}")
    bot.say(f"/translate {FRENCH}")
    assert "into French" in bot.prompts()[0] and "into German" in bot.prompts()[1]


def test_only_admins_set_a_groups_languages(group: Bot) -> None:
    assert group.say("/lang de", sender=BOB, chat=GROUP).startswith("Only admins")
    assert group.say("/auto on de", sender=BOB, chat=GROUP).startswith("Only admins")
    assert group.say("/lang de", chat=GROUP) == "Languages of this chat: German"
    assert group.say("/lang", sender=BOB, chat=GROUP) == "Languages of this chat: German"


def test_auto_is_for_groups(bot: Bot) -> None:
    assert bot.say("/auto on").startswith("/auto is for groups.")


def test_auto_translates_what_is_foreign_and_nothing_else(group: Bot) -> None:
    assert group.say(FRENCH, sender=BOB, chat=GROUP) == ""
    said = group.say("/auto on en", chat=GROUP)
    assert said.startswith("I translate whatever is written here in another language into: English")
    group.model.enqueue("I don't know where the station is.")
    assert group.say(FRENCH, sender=BOB, chat=GROUP) == "I don't know where the station is."
    for words in (ENGLISH, "ok", "lol 😂", "👍", "12:30", "https://example.org/a"):
        assert group.say(words, sender=BOB, chat=GROUP) == "", words
    assert len(group.prompts()) == 1
    assert group.say("/auto off", chat=GROUP).startswith("Automatic translation is off")
    assert group.say(FRENCH, sender=BOB, chat=GROUP) == ""


def test_auto_into_several_languages_is_one_reply(group: Bot) -> None:
    group.say("/auto on en de", chat=GROUP)
    group.model.enqueue("I don't know where the station is.", "Ich weiß nicht, wo er ist.")
    assert group.say(FRENCH, sender=BOB, chat=GROUP) == (
        "English: I don't know where the station is.\n\nDeutsch: Ich weiß nicht, wo er ist."
    )
    group.model.enqueue("See you tomorrow at the station")
    assert group.say(GERMAN, sender=BOB, chat=GROUP) == "See you tomorrow at the station"


def test_auto_takes_the_groups_languages_where_it_is_given_none(group: Bot) -> None:
    group.say("/lang en de", chat=GROUP)
    group.say("/auto on", chat=GROUP)
    assert group.say(GERMAN, sender=BOB, chat=GROUP) == ""  # people here read it
    group.model.enqueue("I don't know where the station is.")
    assert group.say(FRENCH, sender=BOB, chat=GROUP) == "I don't know where the station is."


def test_auto_stays_silent_where_the_model_fails(group: Bot) -> None:
    group.say("/auto on en", chat=GROUP)
    group.model.enqueue(BackendUnavailable("down."))
    assert group.say(FRENCH, sender=BOB, chat=GROUP) == ""
    assert len(group.prompts()) == 1
    group.model.enqueue(FRENCH, FRENCH)
    assert group.say(f"{FRENCH} !", sender=BOB, chat=GROUP) == ""


def test_auto_tells_what_keeps_it_from_hearing(group: Bot) -> None:
    assert "/setprivacy" in group.say("/auto on en", chat=GROUP)
    assert "/setprivacy" in group.say("/auto", chat=GROUP)
    group.admins(GROUP, User(BOT.id))
    group.advance(120)
    assert "/setprivacy" not in group.say("/auto", chat=GROUP)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("/auto", "Automatic translation is off"),
        ("/auto maybe", "Into which language?"),
        ("/auto on klingonish", "I know no language"),
    ],
)
def test_wrong_words_of_auto_are_told(group: Bot, words: str, answer: str) -> None:
    assert group.say(words, chat=GROUP).startswith(answer)


def test_detect_names_the_language_in_the_readers(bot: Bot) -> None:
    assert bot.say(f"/detect {FRENCH}") == "This is French."
    assert bot.say(f"/detect {FRENCH}", sender=WEI) == "这是法语。"
    assert bot.say("/detect 我们明天见") == "This is Simplified Chinese."
    assert bot.say("/detect 你好") == "This is Chinese."
    assert bot.say("/detect Bahnhof").startswith("This may be German")
    assert bot.say("/detect 12:30") == "I can't tell which language this is."
    assert bot.reply("/detect", {"text": GERMAN}) == "This is German."
    assert "Example: /detect" in bot.say("/detect")


def test_languages_are_listed_by_the_readers_names(bot: Bot) -> None:
    english, german = bot.say("/languages"), bot.say("/languages", sender=UWE)
    assert english.startswith("I translate into 107 languages:") and "Japanese (ja)" in english
    assert "Japanisch (ja)" in german and "日语 (ja)" in bot.say("/languages", sender=WEI)


def test_a_foreign_picture_comes_back_as_text_and_translation(bot: Bot) -> None:
    bot.model.enqueue("I don't know where the station is.")
    assert bot.photo(FRENCH) == f"{FRENCH}\n\n→ I don't know where the station is."
    bot.model.enqueue("See you tomorrow at the station")
    assert bot.voice(GERMAN) == f"{GERMAN}\n\n→ See you tomorrow at the station"
    assert bot.buttons == ["Other language", "Show original"] * 2


def test_each_step_of_a_foreign_picture_is_seen(bot: Bot) -> None:
    bot.model.delay = 1.0
    bot.model.enqueue("I don't know where the station is.")
    bot.photo(FRENCH)
    assert bot.telegram.drafts[0][1] == FRENCH


def test_a_translation_that_fails_does_not_lose_the_text(bot: Bot) -> None:
    bot.model.enqueue(BackendUnavailable("down."))
    assert bot.photo(FRENCH) == f"{FRENCH}\n\n[I could not translate this text right now.]"


@pytest.mark.parametrize("read", ["", "OK", "12:30", ENGLISH])
def test_a_picture_that_is_not_foreign_is_left_to_other_plugins(bot: Bot, read: str) -> None:
    bot.photo(read)
    assert bot.prompts() == []
    assert not bot.sent or "→" not in bot.sent[-1].text


def test_pictures_in_groups_are_translated_while_auto_is_on(group: Bot) -> None:
    assert group.photo(FRENCH, sender=BOB, chat=GROUP) == ""
    group.say("/auto on en", chat=GROUP)
    group.model.enqueue("I don't know where the station is.")
    assert group.voice(FRENCH, sender=BOB, chat=GROUP).endswith(
        "→ I don't know where the station is."
    )
