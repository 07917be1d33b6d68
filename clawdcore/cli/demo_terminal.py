"""The demo on a terminal: a prompt, and the bot's answers while they are written."""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from ..errors import ClawdBotError
from .demo_control import Control
from .demo_room import OPERATOR, USERNAME, Room
from .demo_screen import Screen, open_screen
from .demo_transcript import Step, Transcript

SLICE = 1.0
"""Seconds between looks at whether the processes still run."""


class Conversation:
    """Reads lines here and shows, from a thread of its own, what the bot does.

    After a line that the bot should answer the prompt waits for the answer, or
    for the next key. ``trouble`` says what has ended, "" while all is well.
    """

    def __init__(
        self, room: Room, control: Control, trouble: Callable[[], str], model: str
    ) -> None:
        self._room = room
        self._control = control
        self._trouble = trouble
        self._model = model
        self._screen: Screen = open_screen()
        self._transcript = Transcript(room.label)
        self._answered, self._tell = os.pipe()
        self._leaving = threading.Event()
        self._failure = ""
        self._greeted = False

    def run(self) -> int:
        """Until Ctrl-D, Ctrl-C, or the end of the bot; returns the exit status."""
        for line in (*self._room.welcome(), f"Model: {self._model}", ""):
            self._screen.line(self._screen.style(line, dim=True) if line else "")
        listener = threading.Thread(target=self._listen, name="events")
        listener.start()
        try:
            while True:
                line = self._screen.ask(self._room.speaker or "you").strip()
                self._drain()
                if line and self._room.speak(line):
                    self._wait()
        except (EOFError, KeyboardInterrupt):
            click.echo()
        finally:
            self._leaving.set()
            listener.join()
            os.close(self._answered)
            os.close(self._tell)
        if self._failure:
            click.echo(f"clawdbot: {self._failure}", err=True)
        return 1 if self._failure else 0

    def _wait(self) -> None:
        """Until an answer is whole, or a key is pressed; keys aren't shown meanwhile."""
        with _quiet_keys(sys.stdin.fileno()):
            select.select([self._answered, sys.stdin.fileno()], [], [])

    def _drain(self) -> None:
        while select.select([self._answered], [], [], 0)[0]:
            os.read(self._answered, 4096)

    def _listen(self) -> None:
        after = 0
        while not self._leaving.is_set():
            try:
                events, after = self._control.events(after, SLICE)
                failure = self._trouble()
            except ClawdBotError as error:
                failure = self._trouble() or str(error)
                events = []
            for event in events:
                if event["chat_id"] == self._room.chat:
                    for step in self._transcript.take(event):
                        self._show(step)
                elif event["chat_id"] == OPERATOR and event["kind"] == "sent":
                    self._note(event["message"].get("text", ""))
            if failure and not self._leaving.is_set():
                self._failure = failure
                # The only way to end a prompt that waits for a line.
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
                return

    def _note(self, text: str) -> None:
        """What the owner is told; not the first time, which says that the bot is up."""
        if self._greeted:
            self._screen.line(self._screen.style(f"(to the owner: {text})", dim=True))
        self._greeted = True

    def _show(self, step: Step) -> None:
        screen = self._screen
        match step.kind:
            case "start":
                name = " ".join(filter(None, (USERNAME, step.text)))
                screen.more(screen.style(f"{name} › ", bold=True))
            case "more":
                screen.more(step.text)
            case "end":
                screen.end()
                os.write(self._tell, b".")
            case "note":
                screen.line(screen.style(f"({step.text})", dim=True))


@contextmanager
def _quiet_keys(terminal: int) -> Iterator[None]:
    """Within the body keys are neither shown nor lost; Ctrl-C works."""
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal, termios.TCSADRAIN)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
