"""Playing a schedule: each message in its time, whatever became of the others."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from clawdcore.cli.demo_control import Control, Event
from clawdcore.cli.rehearse_pattern import Line
from clawdcore.cli.rehearse_play import Rehearsal, Stop
from clawdcore.cli.rehearse_setup import free_port
from clawdcore.errors import ChannelUnreachable

GROUP = -2001


class Stage(Control):
    """A server without a bot: it answers by itself, or never."""

    def __init__(self, *, answers: bool) -> None:
        super().__init__("http://127.0.0.1:1")
        self.said: list[tuple[int, str, int | None]] = []
        self.there: set[int] = set()
        self._answers = answers
        self._events: list[Event] = []
        self._more = threading.Condition()

    def user(self, id: int, name: str, language: str) -> None:
        self.there.add(id)

    def group(self, id: int, title: str) -> None:
        self.there.add(id)

    def say(self, user: int, text: str, chat: int | None = None) -> Any:
        self.said.append((user, text, chat))
        number = len(self.said)
        if self._answers:
            message = {
                "message_id": 1000 + number,
                "text": "Yes.",
                "reply_to_message": {"message_id": number},
            }
            event = {
                "kind": "sent",
                "method": "sendMessage",
                "chat_id": chat or user,
                "message": message,
                "at": time.time(),
            }
            with self._more:
                self._events.append(event)
                self._more.notify_all()
        return {"message_id": number}

    def events(self, after: int, seconds: float) -> tuple[list[Event], int]:
        with self._more:
            self._more.wait_for(lambda: len(self._events) > after, seconds)
            return self._events[after:], len(self._events)

    def state(self) -> dict[str, Any]:
        return {"calls": {"sendMessage": len(self._events) + 3, "getUpdates": 99}}


def line(at: float, user: int = 1001, chat: int | None = None, addressed: bool = True) -> Line:
    return Line(at, user, chat, "words", addressed=addressed)


def play(stage: Stage, lines: list[Line], trouble: Any = lambda: "") -> Rehearsal:
    return Rehearsal(
        stage, lines, port=free_port(), total=60.0, trouble=trouble, tell=lambda words: None
    )


def test_everything_is_said_where_it_belongs_and_what_answers_it_is_counted() -> None:
    stage = Stage(answers=True)
    lines = [line(0.0), line(0.1, 1002, GROUP), line(0.2, 1003, GROUP, addressed=False)]
    rehearsal = play(stage, lines)
    rehearsal.run()
    assert stage.said == [(each.user, each.text, each.chat) for each in lines]
    assert {1001, 1002, 1003, GROUP} <= stage.there
    result = rehearsal.result()
    assert (result.sent, result.addressed, result.in_time, result.lost) == (3, 2, 2, 0)
    assert result.turned_away == 3


def test_nobody_waits_for_an_answer_before_writing() -> None:
    stage = Stage(answers=False)
    lines = [line(0.0), line(0.0), line(0.2), line(0.4)]
    rehearsal = play(stage, lines, lambda: "the bot ended." if len(stage.said) == 4 else "")
    with pytest.raises(Stop, match=r"broke off: the bot ended\."):
        rehearsal.run()
    result = rehearsal.result()
    assert (result.sent, result.open, result.lost) == (4, 4, 0)


def test_an_interruption_leaves_the_numbers_so_far_and_no_thread() -> None:
    stage = Stage(answers=True)

    def trouble() -> str:
        if len(stage.said) == 2:
            raise KeyboardInterrupt
        return ""

    before = set(threading.enumerate())
    rehearsal = play(stage, [line(0.0), line(0.0, 1002), line(600.0)], trouble)
    with pytest.raises(KeyboardInterrupt):
        rehearsal.run()
    result = rehearsal.result()
    assert set(threading.enumerate()) == before
    assert (result.sent, result.lost) == (2, 0)
    assert result.in_time + result.open == 2


def test_a_server_that_is_gone_ends_it() -> None:
    class Gone(Stage):
        def events(self, after: int, seconds: float) -> tuple[list[Event], int]:
            raise ChannelUnreachable("the local Telegram server does not answer.")

        def state(self) -> dict[str, Any]:
            raise ChannelUnreachable("the local Telegram server does not answer.")

    rehearsal = play(Gone(answers=False), [line(600.0)])
    with pytest.raises(Stop, match="does not answer"):
        rehearsal.run()
    assert rehearsal.result().turned_away == 0
