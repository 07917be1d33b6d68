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
