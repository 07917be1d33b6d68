"""The demo without a terminal: a line in, its answer out, then the next line."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from io import TextIOWrapper
from typing import Any, Final

import click

from .demo_control import Control, Event
from .demo_room import Room

SLICE: Final = 1.0
"""Seconds between looks at whether the processes still run."""
SETTLE: Final = 1.0
"""Seconds in which the next part of a long answer comes; it is sent without a pause."""
PART: Final = 4096 // 4
"""Characters below which a message is the last part: a cut keeps a quarter of 4096."""


def answer_lines(
    lines: Iterable[str],
    room: Room,
    control: Control,
    trouble: Callable[[], str],
    timeout: float,
) -> int:
    """Say each line, and print what the bot answers to it before the next one.

    ``timeout`` is how long an answer may take in seconds. Returns the exit
    status: 1 once a line stays unanswered, or the bot ends.
    """
    if isinstance(lines, TextIOWrapper):
        lines.reconfigure(errors="replace")
    after = 0
    for number, line in enumerate(lines, 1):
        if not line.strip() or not room.speak(line.strip()):
            continue
        messages, after = _answers(control, room.chat, after, trouble, timeout)
        if not messages:
            reason = trouble() or f"line {number} was not answered within {timeout:g} s."
            click.echo(f"clawdbot: {reason}", err=True)
            return 1
        for message in messages:
            label = room.label(message)
            click.echo(f"{label}: {text_of(message)}" if label else text_of(message))
    return 0


def _answers(
    control: Control, chat: int, after: int, trouble: Callable[[], str], timeout: float
) -> tuple[list[Event], int]:
    """The messages of one answer, and the number of the last event."""
    found: list[Event] = []
    until = time.monotonic() + timeout
    while True:
        left = until - time.monotonic()
        events, after = control.events(after, min(SLICE, left))
        new = [e["message"] for e in events if e["kind"] == "sent" and e["chat_id"] == chat]
        found += new
        if new and len(text_of(new[-1])) >= PART:
            until = time.monotonic() + SETTLE
        elif new or left <= 0 or trouble():
            return found, after


def text_of(message: dict[str, Any]) -> str:
    """A message in words: its text, or what kind of file it is, and the caption."""
    if "text" in message:
        return str(message["text"])
    kinds = ("photo", "voice", "audio", "video", "document")
    kind = next((kind for kind in kinds if kind in message), "message")
    return f"[{kind}] {message.get('caption', '')}".rstrip()
