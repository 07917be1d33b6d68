"""Plays a schedule to the bot through the local Telegram server, and keeps what happens.

Open loop: each message is written when its time has come, whatever became of
those before it, so that a slow bot gets no rest by being slow.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from http.client import HTTPConnection, HTTPException
from typing import Final

import msgspec

from ..errors import ClawdBotError
from .demo_control import Control, Event
from .demo_room import OPERATOR
from .monitor_look import Look, decoded
from .rehearse_measure import Result, group_peak, measure
from .rehearse_outcome import LANGUAGE, Asked, Outcome, outcomes
from .rehearse_pattern import Line
from .rehearse_setup import HOST

SLICE: Final = 1.0
"""Seconds between looks, at the bot's numbers and at whether the processes still run."""
PATIENCE: Final = 5.0
"""Seconds that a look may take."""
AFTERWARDS: Final = 30.0
"""Seconds beyond the bot's own deadline in which a notice comes: one that speaks for
several messages waits up to 20 s, and Telegram's limits may hold it back."""
QUIET: Final = 3.0
"""Seconds without anything new after which, with all answered, nothing more comes."""
PROGRESS: Final = 10.0
"""Seconds between two lines that say how far it is."""


class Stop(ClawdBotError):
    """The bot or the server ended before the rehearsal."""


class Rehearsal:
    """One play. ``total`` is in seconds; ``trouble`` says what has ended, "" while all is well."""

    def __init__(
        self,
        control: Control,
        lines: Sequence[Line],
        *,
        port: int,
        total: float,
        trouble: Callable[[], str],
        tell: Callable[[str], None],
    ) -> None:
        self._control = control
        self._lines = lines
        self._port = port
        self._total = total
        self._trouble = trouble
        self._tell = tell
        self._leaving = threading.Event()
        self._failure = ""
        self._began = 0.0
        self._told = 0.0
        self._sent = 0
        self._whole = False
        self._asked: list[Asked] = []
        self._events: list[Event] = []
        self.looks: list[Look] = []

    def run(self) -> None:
        """Play to the end, until everything has its outcome or nothing more can come.

        Raises:
            Stop: the bot or the server ended.
        """
        self._prepare()
        threads = [
            threading.Thread(target=self._listen, name="events"),
            threading.Thread(target=self._look, name="looks"),
        ]
        for thread in threads:
            thread.start()
        try:
            self._began = self._told = time.time()
            for line in self._lines:
                self._until(self._began + line.at)
                self._say(line)
            self._settle()
            self._whole = True
        finally:
            self._leaving.set()
            for thread in threads:
                thread.join()

    def result(self) -> Result:
        """The numbers so far."""
        events = list(self._events)
        found = outcomes(self._asked, events)
        now = time.time()
        ends = [each.at for each in found if each.at is not None]
        return measure(
            self._asked,
            found,
            total=self._total,
            sent=self._sent,
            now=now,
            seconds=max(0.0, (max(ends) if ends else now) - self._began) if self._began else 0.0,
            group_peak=group_peak(events),
            turned_away=self._turned_away(),
            whole=self._whole,
        )

    def _prepare(self) -> None:
        self._control.user(OPERATOR, "Owner", LANGUAGE)
        for group in sorted({line.chat for line in self._lines if line.chat is not None}):
            self._control.group(group, f"Group {-group}")
        for person in sorted({line.user for line in self._lines}):
            self._control.user(person, f"Person {person}", LANGUAGE)

    def _say(self, line: Line) -> None:
        message = self._control.say(line.user, line.text, line.chat)
        self._sent += 1
        if line.addressed:
            self._asked.append(
                Asked(
                    due=self._began + line.at,
                    user=line.user,
                    chat=line.user if line.chat is None else line.chat,
                    message_id=message["message_id"],
                    group=line.chat is not None,
                )
            )

    def _until(self, moment: float) -> None:
        """Wait for the time, watching the processes.

        Raises:
            Stop: one of them ended.
        """
        while True:
            failure = self._trouble() or self._failure
            if failure:
                raise Stop(f"the rehearsal broke off: {failure}", fix="See the lines above.")
            now = time.time()
            if now - self._told >= PROGRESS:
                self._told = now
                done = sum(each.kind != "open" for each in self._found())
                self._tell(f"{self._sent} of {len(self._lines)} sent, {done} answered or noticed")
            if now >= moment:
                return
            self._leaving.wait(min(SLICE, moment - now))

    def _settle(self) -> None:
        """Wait until everything has its outcome, or can have none any more."""
        last = max((each.due for each in self._asked), default=self._began)
        ends = last + self._total + AFTERWARDS
        while (now := time.time()) < ends:
            if all(each.kind != "open" for each in self._found()) and self._idle(now):
                return
            self._until(min(ends, now + SLICE))

    def _found(self) -> list[Outcome]:
        return outcomes(self._asked, list(self._events))

    def _idle(self, now: float) -> bool:
        if self._events and now - self._events[-1]["at"] < QUIET:
            return False
        look = self.looks[-1] if self.looks else None
        return look is None or not (look.queue_size or look.active_requests)

    def _turned_away(self) -> int:
        """Messages that the server refused: calls that sent nothing."""
        try:
            calls = self._control.state()["calls"].get("sendMessage", 0)
        except ClawdBotError:
            return 0  # it has ended; the rest of the numbers is still worth telling
        sent = sum(
            event["kind"] == "sent" and event["method"] == "sendMessage" for event in self._events
        )
        return int(max(0, calls - sent))

    def _listen(self) -> None:
        after = 0
        while not self._leaving.is_set():
            try:
                events, after = self._control.events(after, SLICE)
            except ClawdBotError as error:
                self._failure = str(error)
                return
            self._events += [event for event in events if event["kind"] in ("sent", "edit")]

    def _look(self) -> None:
        while not self._leaving.wait(SLICE):
            connection = HTTPConnection(HOST, self._port, timeout=PATIENCE)
            try:
                connection.request("GET", "/metrics?format=json")
                self.looks.append(decoded(connection.getresponse().read()))
            except (OSError, HTTPException, msgspec.DecodeError):
                continue  # a look that fails is one fewer; the chats say how the bot is
            finally:
                connection.close()
