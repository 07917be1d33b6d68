from __future__ import annotations

from datetime import UTC, datetime
from importlib.util import find_spec

import pytest
from clawdcore import ToolCall, UsageError
from clawdcore.testing import Group, Harness, PluginConformance, User, untranslated

from clawdbot_water import Water
from clawdbot_water.day import Day, Interval

BOB = User(202, "Bob")
WEI = User(303, "Wei", language="zh-hans")
HOUR = 3600.0
NIGHT = {"name": "water", "options": {"timezone": "Asia/Tokyo"}}
"""It is 17:00 in Tokyo when a test begins."""


def test_glasses_add_up_for_each_user(bot: Harness) -> None:
    assert bot.say("/water") == "0 of 2000 ml today."
    assert bot.say("/drink 250") == "250 of 2000 ml today."
    assert bot.say("/drink 1750") == "2000 of 2000 ml: well done!"
    assert bot.say("/drink -1000") == "1000 of 2000 ml today."
    assert bot.say("/water", sender=BOB) == "0 of 2000 ml today."


def test_a_new_day_begins_with_nothing(bot: Harness) -> None:
    bot.say("/drink 500")
    bot.advance(24 * HOUR)
    assert bot.say("/water") == "0 of 2000 ml today."


def test_the_buttons_are_for_who_asked(bot: Harness) -> None:
    bot.say("/water", chat=Group())
    bot.press("+250")
    assert bot.sent[0].text == "250 of 2000 ml today."
    bot.press("+500", sender=BOB)
    bot.press("+250", data="made up")
    assert bot.sent[0].text == "250 of 2000 ml today."
    assert bot.toasts[0] == "These are not your glasses: send /water."


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("/drink", "/drink 250"),
        ("/drink much", "/drink 250"),
        ("/drink 9999", "up to 5000"),
        ("/watergoal 1", "from 250 to 10000"),
        ("/waterremind 3x", "from 15m to 24h, or off"),
        ("/waterremind", "/waterremind 2h"),
    ],
)
def test_wrong_arguments_are_answered_with_what_fits(bot: Harness, written: str, said: str) -> None:
    assert said in bot.say(written)
    assert bot.say("/water") == "0 of 2000 ml today."


def test_reminders_come_by_day_until_the_goal_is_reached(bot: Harness) -> None:
    assert bot.say("/waterremind 2h") == "I remind you every 2 h."
    before = len(bot.sent)
    bot.advance(25 * HOUR)
    reminders = [sent.text for sent in bot.sent[before:]]
    # From 10:00 to 20:00, and at 8:00 of the next day: none at night.
    assert reminders == ["Time for a glass of water: 0 of 2000 ml so far."] * 7
    bot.say("/drink 2000")
    before = len(bot.sent)
    bot.advance(6 * HOUR)
    assert len(bot.sent) == before


def test_a_reminder_is_taken_back_and_replaced(bot: Harness) -> None:
    bot.say("/waterremind 1h")
    assert bot.say("/waterremind 90m") == "I remind you every 90 minutes."
    before = len(bot.sent)
    bot.advance(1.6 * HOUR)
    assert len(bot.sent) == before + 1
    assert bot.say("/waterremind off") == "I don't remind you any more."
    before = len(bot.sent)
    bot.advance(12 * HOUR)
    assert len(bot.sent) == before


@pytest.mark.config({"plugins": [NIGHT]})
def test_morning_and_evening_are_those_of_the_owners_time_zone(bot: Harness) -> None:
    bot.say("/waterremind 1h")
    before = len(bot.sent)
    bot.advance(8 * HOUR)
    assert len(bot.sent) == before + 3  # at 18, 19 and 20


@pytest.mark.config({"plugins": [{"name": "water", "options": {"goal": 1500}}]})
def test_the_owner_sets_the_goal_until_a_user_does(bot: Harness) -> None:
    assert bot.say("/water") == "0 of 1500 ml today."
    assert bot.say("/watergoal 3000") == "0 of 3000 ml today."
    assert bot.say("/water", sender=BOB) == "0 of 1500 ml today."


@pytest.mark.skipif(find_spec("clawdbot_chat") is None, reason="clawdbot-chat is not installed")
@pytest.mark.plugins("chat", Water)
def test_the_model_can_note_a_glass(bot: Harness) -> None:
    bot.backend.tools = True
    bot.backend.enqueue(ToolCall("1", "drink", '{"millilitres": 250}'), "Noted!")
    assert bot.say("I just had a glass of water") == "Noted!"
    assert bot.say("/water") == "250 of 2000 ml today."


def test_it_speaks_the_readers_language(bot: Harness) -> None:
    assert bot.say("/drink 250", sender=WEI) == "今天 250/2000 毫升。"
    bot.say("/waterremind 1h", sender=WEI)
    bot.advance(1.1 * HOUR)
    assert "目前 250/2000 毫升" in bot.sent[-1].text
    assert untranslated(bot, "water") == []


def test_a_day_counts_from_midnight_and_never_below_nothing() -> None:
    monday = datetime(2027, 1, 11, 23, tzinfo=UTC)
    day = Day().at(monday).plus(300)
    assert day.at(monday).drunk == 300
    assert day.at(datetime(2027, 1, 12, 1, tzinfo=UTC)).drunk == 0
    assert day.plus(-500).drunk == 0


@pytest.mark.parametrize(("word", "minutes"), [("off", 0), ("15m", 15), ("2H", 120), ("24h", 1440)])
def test_intervals(word: str, minutes: int) -> None:
    assert Interval.parse(word).minutes == minutes


@pytest.mark.parametrize("word", ["", "m", "14m", "25h", "2", "²h", "99999m", "-1h"])
def test_no_intervals(word: str) -> None:
    with pytest.raises(UsageError):
        Interval.parse(word)


class TestConformance(PluginConformance, plugin=Water):
    """What every plugin must do, /forget among it."""
