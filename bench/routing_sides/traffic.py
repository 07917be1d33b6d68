"""The work: answers of ``getUpdates`` as Telegram sends them, and who counts the calls."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple, Protocol

BATCH: Final = 100
"""Updates in one answer, the most that getUpdates gives."""
PEOPLE: Final = 500
"""Private chats over which the updates are spread."""
FIRST_ID: Final = 731_000_000
EPOCH: Final = 1_790_000_000
BOT: Final = {"id": 7_000_000_001, "is_bot": True, "first_name": "Bot", "username": "clawd_bot"}
TOKEN: Final = f"{BOT['id']}:{'A' * 35}"
WORDS: Final = "Berlin tomorrow"


class Scene(NamedTuple):
    """``size`` commands of as many plugins, or as many handlers of text messages.

    Of the handlers the last one answers, after all others have passed.
    """

    kind: Literal["commands", "handlers"]
    size: int

    @property
    def name(self) -> str:
        """``commands_100``"""
        return f"{self.kind}_{self.size}"

    @property
    def answering(self) -> range:
        """Which of the functions answer; the updates are spread evenly over them."""
        return range(self.size) if self.kind == "commands" else range(self.size - 1, self.size)


Called = Callable[[int, str], None]
"""What the function number n calls, with the words it was given."""


class Side(Protocol):
    """One framework, set up for one scene."""

    async def open(self) -> None:
        """Set everything up, up to the first update."""

    async def run(self, answers: list[bytes]) -> None:
        """Take the answers to the functions; returns when every update is done."""

    async def close(self) -> None:
        """Stop, and check what the framework itself counted."""


class Calls:
    """Counts the calls of each function."""

    def __init__(self, size: int) -> None:
        self.counts = [0] * size

    def __call__(self, number: int, words: str) -> None:
        """Count one call, if it came with its words."""
        if words:
            self.counts[number] += 1

    def check(self, scene: Scene, updates: int) -> None:
        """Every update must have reached its function. Raises :class:`AssertionError`."""
        answering = scene.answering
        expected = [0] * scene.size
        for index in range(updates):
            expected[answering[index % len(answering)]] += 1
        if self.counts != expected:
            raise AssertionError(
                f"{scene.name}: {sum(self.counts)} calls for {updates} updates, "
                f"or not those of the right functions"
            )


def command(number: int) -> str:
    """The name of a command."""
    return f"forecast{number}"


def topic(number: int) -> str:
    """The word at the start of a text by which a handler knows its own."""
    return f"topic{number}:"


def answers(scene: Scene, updates: int, first: int = 0) -> list[bytes]:
    """``updates`` updates in answers of ``getUpdates``; ``first`` numbers the first one."""
    numbers = scene.answering
    found = [
        _update(first + index, scene.kind, numbers[index % len(numbers)])
        for index in range(updates)
    ]
    return [
        json.dumps({"ok": True, "result": found[at : at + BATCH]}, ensure_ascii=False).encode()
        for at in range(0, updates, BATCH)
    ]


def _update(index: int, kind: str, number: int) -> dict[str, Any]:
    user = 100_000_000 + index % PEOPLE
    person = {"id": user, "first_name": "Ada", "last_name": "Lovelace", "username": f"ada_{user}"}
    message: dict[str, Any] = {
        "message_id": 1000 + index,
        "from": {**person, "is_bot": False, "language_code": "en", "is_premium": True},
        "chat": {**person, "type": "private"},
        "date": EPOCH + index // 20,
    }
    if kind == "commands":
        name = f"/{command(number)}"
        message["text"] = f"{name} {WORDS}"
        message["entities"] = [{"offset": 0, "length": len(name), "type": "bot_command"}]
    else:
        message["text"] = f"{topic(number)} {WORDS}"
    return {"update_id": FIRST_ID + index, "message": message}
