"""Who speaks in the demo, and when the bot is expected to answer."""

from __future__ import annotations

from typing import Any

import pytest

from clawdcore.cli.demo_control import Control
from clawdcore.cli.demo_room import ADA, GROUP, Group, Private, language_of


class Told(Control):
    """Keeps what is said in place of sending it."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1")
        self.said: list[tuple[int, str, int | None]] = []
        self.names: dict[int, tuple[str, str]] = {}

    def user(self, id: int, name: str, language: str) -> None:
        self.names[id] = (name, language)

    def group(self, id: int, title: str) -> None:
        assert id == GROUP

    def say(self, user: int, text: str, chat: int | None = None) -> None:
        self.said.append((user, text, chat))


def test_in_private_everything_is_answered() -> None:
    control = Told()
    room = Private(control, {"LANG": "zh_CN.UTF-8"})
    assert room.speak("hello")
    assert control.said == [(ADA, "hello", None)]
    assert control.names[ADA] == ("Ada", "zh-cn")


@pytest.mark.parametrize(
    ("line", "speaker", "text", "answered"),
    [
        ("hello", "Ada", "hello", False),
        ("bob: hello", "Bob", "hello", False),
        ("BOB : @bot hello", "Bob", "@clawd_bot hello", True),
        ("is @clawd_bot here?", "Ada", "is @clawd_bot here?", True),
        ("write to me@bot.org", "Ada", "write to me@bot.org", False),
        ("@bots are many", "Ada", "@bots are many", False),
        ("note: @bot hello", "Ada", "note: @clawd_bot hello", True),
        ("/help", "Ada", "/help", True),
        ("mei: /help@clawd_bot me", "Mei", "/help@clawd_bot me", True),
        ("/help@other_bot", "Ada", "/help@other_bot", False),
        ("see /help", "Ada", "see /help", False),
    ],
)
def test_in_a_group(line: str, speaker: str, text: str, answered: bool) -> None:
    control = Told()
    room = Group(control, {})
    assert room.speak(line) is answered
    [(user, said, chat)] = control.said
    assert (control.names[user][0], said, chat) == (speaker, text, GROUP)
    assert room.speaker == speaker


def test_anybody_may_speak_from_now_on() -> None:
    control = Told()
    room = Group(control, {})
    assert not room.speak("/as eve")
    assert not room.speak("bob:")
    assert not room.speak("/as EVE")
    assert control.said == []
    room.speak("hello")
    assert control.names[control.said[0][0]][0] == "Eve"
    assert len({name for name, _ in control.names.values()}) == len(control.names)


def test_the_bot_names_whom_it_answers() -> None:
    room = Group(Told(), {})
    answer: dict[str, Any] = {"reply_to_message": {"from": {"first_name": "Bob"}}}
    assert room.label(answer) == "→ Bob"
    assert room.label({"text": "x"}) == "→ all"


@pytest.mark.parametrize(
    ("env", "language"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "POSIX"}, "en"),
        ({"LANG": "de_AT.UTF-8"}, "de-at"),
        ({"LANG": "fr"}, "fr"),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "zh_CN"}, "zh-cn"),
    ],
)
def test_people_speak_the_language_of_the_terminal(env: dict[str, str], language: str) -> None:
    assert language_of(env) == language
