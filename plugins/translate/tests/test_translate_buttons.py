from __future__ import annotations

from typing import Any

import pytest

from clawdcore import Context, Message, RegisterCommand, Scope, hookimpl
from clawdcore.testing import User

Bot = Any
MakeBot = Any
CHINESE = User(102, "Wei", language="zh-hans")
TEXT = "We are waiting for you at the station."
GERMAN = "Wir warten am Bahnhof auf dich."
FRENCH = "Nous t'attendons à la gare."


def asked(bot: Bot) -> None:
    bot.model.enqueue(GERMAN)
    assert bot.say(f"/translate de {TEXT}") == GERMAN


def test_a_translation_has_buttons_and_a_refusal_has_none(bot: Bot) -> None:
    asked(bot)
    assert bot.buttons == ["Other language", "Show original"]
    bot.say("/translate de Wir sehen uns morgen am Bahnhof")
    bot.say("/translate fr 12:30")
    assert len(bot.buttons) == 2


def test_buttons_hold_no_content(bot: Bot) -> None:
    asked(bot)
    bot.press("Other language")
    data = [button.data for sent in bot.sent for row in sent.buttons for button in row]
    assert data and all("station" not in each and "Bahnhof" not in each for each in data)


def test_the_original_and_the_translation_take_turns(bot: Bot) -> None:
    asked(bot)
    bot.press("Show original")
    assert bot.sent[-1].text == TEXT
    bot.press("Show translation")
    assert bot.sent[-1].text == GERMAN
    assert bot.buttons == ["Other language", "Show original"]


def test_another_language_answers_with_a_new_translation(bot: Bot) -> None:
    asked(bot)
    bot.press("Other language", sender=CHINESE)
    assert "法语" in bot.buttons and "德语" not in bot.buttons
    bot.model.enqueue(FRENCH)
    bot.press("法语", sender=CHINESE)
    assert bot.sent[-1].text == FRENCH and bot.sent[0].text == GERMAN
    assert TEXT in bot.prompts()[-1] and "into French" in bot.prompts()[-1]


def test_back_leads_back(bot: Bot) -> None:
    asked(bot)
    bot.press("Other language")
    bot.press("Back")
    assert bot.buttons == ["Other language", "Show original"]


def test_after_an_hour_texts_are_gone(bot: Bot) -> None:
    asked(bot)
    bot.wall += 3601
    bot.press("Show original")
    assert bot.toasts == ["I keep texts for an hour only. Please use /translate again."]


@pytest.mark.parametrize("data", ["", "-1", "x" * 40, "٣", "9" * 40, "1 2"])
def test_what_a_client_made_up_is_borne(bot: Bot, data: str) -> None:
    asked(bot)
    (row,) = bot.sent[0].buttons
    real = row[1].data
    # What comes back is the key of the function and then the data; only the latter is ours.
    key = bot._button("Show original", None)[1].removesuffix(real)
    bot.press("Show original", data=f"{key}{data}")
    assert bot.toasts == ["I keep texts for an hour only. Please use /translate again."]


class Eraser:
    """Stands in for the plugin that erases, and tells what leaves the machine."""

    @hookimpl
    def register_commands(self, register: RegisterCommand, context: Context) -> None:
        @register("erase")
        async def erase(message: Message, kind: str) -> str:
            """Erase all of the asker, or of the chat"""
            scope = Scope(kind="chat" if kind == "chat" else "user", id=message.chat.id)
            return "|".join(each.words for each in await context.control.forget(scope))

        @register("leaving")
        async def leaving(message: Message) -> str:
            """Tell what leaves the machine"""
            return "|".join(each.words for each in await context.control.privacy("en")) or "none"


@pytest.mark.parametrize("kind", ["user", "chat"])
def test_forget_erases_what_was_kept_and_says_so(make_bot: MakeBot, kind: str) -> None:
    bot = make_bot(Eraser())
    asked(bot)
    assert "1 translated texts" in bot.say(f"/erase {kind}")
    bot.press("Show original", message=bot.sent[0])
    assert bot.toasts[-1].startswith("I keep texts")
    assert "translated texts" not in bot.say(f"/erase {kind}")


def test_the_services_that_texts_go_to_are_named(make_bot: MakeBot) -> None:
    assert make_bot(Eraser()).say("/leaving") == "none"
    here = make_bot(Eraser(), libretranslate={"url": "http://127.0.0.1:9"})
    assert here.say("/leaving") == "none"
    bot = make_bot(Eraser(), libretranslate={"url": "https://translate.example"})
    assert bot.say("/leaving") == (
        "Texts to be translated may be sent to: LibreTranslate (https://translate.example)."
    )
