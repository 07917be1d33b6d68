"""The commands that look after the bot."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clawdbot_commands import Commands
from clawdcore.testing import ADA, Group, Harness, User

BOB = User(909, "Bob")
LI = User(7, "Li", language="zh-hans")


@pytest.fixture
def care() -> Iterator[Harness]:
    with Harness([Commands()], config={"plugins": ["commands"]}) as bot:
        assert not bot.report.disabled, bot.report.disabled
        yield bot


def test_status_about_and_privacy(care: Harness) -> None:
    assert "I am working." in care.say("/status")
    assert "工作" in care.say("/status", sender=LI)
    assert "ClawdBot" in care.say("/about")
    said = care.say("/privacy")
    assert all(name in said for name in ("Open-Meteo", "Frankfurter", "Wikipedia"))


def test_stop_with_nothing_to_stop(care: Harness) -> None:
    assert care.say("/stop") == "I am doing nothing for you right now."


@pytest.mark.parametrize("command", ["/pause", "/resume", "/drain"])
def test_others_may_not(care: Harness, command: str) -> None:
    assert care.say(command, sender=BOB) == "Only the owner of this bot can do that."


def test_forget_asks_first(care: Harness) -> None:
    care.say("/forget")
    care.press("Cancel")
    assert care.sent[0].text == "Nothing was erased."
    care.say("/forget")
    care.press("Forget me")
    assert care.sent[-1].text.startswith(("Erased:", "I held nothing."))


def test_a_chat_is_forgotten_for_admins_only(care: Harness) -> None:
    group = Group()
    care.say("/forget@clawd_bot", chat=group)
    care.press("Forget this chat (admins)", sender=BOB)
    care.press("Forget this chat (admins)")
    assert care.toasts == [
        "Only who asked can answer this.",
        "Only admins of this group can do that.",
    ]
    care.admins(group, ADA)
    care.advance(120)
    care.press("Forget this chat (admins)")
    assert care.sent[-1].text.startswith(("Erased:", "I held nothing."))


def test_what_rests_and_which_models_is_for_the_owner() -> None:
    config = {"channels": {"telegram": {"owner": ADA.id}}}
    with Harness([Commands()], config=config) as bot:
        model = bot.config.agents.defaults.model.primary
        told = bot.say("/status")
        assert model in told
        stranger = bot.say("/status", sender=BOB)
        assert "I am working." in stranger and model not in stranger
        assert model not in bot.say("/status@clawd_bot", sender=BOB, chat=Group())


def test_all_of_it_in_chinese(care: Harness) -> None:
    for command in ("/about", "/privacy", "/status", "/stop", "/pause", "/resume", "/drain"):
        said = care.say(command, sender=LI)
        assert any("\u4e00" <= letter <= "\u9fff" for letter in said), said
        assert not any(word in said for word in ("Only", "memory", "right now")), said
    care.say("/forget", sender=LI)
    assert care.buttons == ["忘记我", "取消"]
    care.press("忘记我", sender=LI)
    assert care.sent[-1].text == "我没有保存任何内容。"


def test_in_a_group_nobody_answers_for_another(care: Harness) -> None:
    group = Group()
    for command in ("/pause", "/resume", "/drain"):
        said = care.say(f"{command}@clawd_bot", sender=BOB, chat=group)
        assert said == "Only the owner of this bot can do that."
    care.say("/forget@clawd_bot", chat=group)
    care.press("Forget me", sender=BOB)
    assert care.toasts == ["Only who asked can answer this."]
    assert "Erase it?" in care.sent[-1].text


def test_privacy_says_what_is_kept(care: Harness) -> None:
    said = care.say("/privacy")
    assert "home" in said and "/forget" in said and "disk" in said
