"""Who gets a message: the policy, the routes, and a place in each line it must keep."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from ..access import Access, Policy
from ..broker import Target
from ..errors import Overloaded
from ..hooks.command import Command
from ..hooks.registration import ButtonEntry, Handler
from ..messages import Format, Message, Press, Toast
from . import notices, pressing
from .builtin import CORE
from .failures import Failures
from .guard import ends_us
from .order import Line, Place
from .origin import Origin, ask_of, classify
from .owner import Owner
from .routing import Routes
from .seats import Seat, Seats

STRANGER_PAUSE: Final = 3600.0
STRANGERS: Final = 1000
"""A stranger is told so once in this many seconds; so many strangers are remembered."""


NOBODY: Final[frozenset[str]] = frozenset()


class Job(msgspec.Struct):
    """One message, or one press, on its way through the pipeline.

    ``plugin`` is the one that was called last, ``format`` that of its text.
    ``expired``: its time is over, through ``blamed`` if that is not "". ``left``: nobody
    waits for it any more. ``refused``: admission did not take it,
    ``dropped``: whoever asked did not want it any more.
    Of a ``press`` ``message`` is the pressed one as if the presser
    had written it, ``button`` what the button does, and ``toast`` what is said at once.
    ``also`` are the updates of an album's other parts, which end as this one does.
    """

    message: Message
    target: Target
    turn: Place
    seat: Seat
    origin: Origin
    command: Command | None = None
    handlers: tuple[Handler, ...] = ()
    press: Press | None = None
    button: ButtonEntry | None = None
    toast: Toast | None = None
    serial: tuple[Place | None, ...] = ()
    notice: str = ""
    addressed: bool = True
    shown: list[str] = []
    plugin: str = ""
    format: Format = "plain"
    blamed: str = ""
    expired: bool = False
    left: bool = False
    timer: asyncio.TimerHandle | None = None
    refused: Overloaded | None = None
    dropped: bool = False
    also: tuple[int, ...] = ()

    @property
    def stoppable(self) -> bool:
        """Whether it may be cancelled: its time is not over, and nobody has done so."""
        return not (self.dropped or self.expired or self.left)

    def written(self) -> str:
        """What of the answer was there when it broke off, "" for white space only."""
        text = "".join(self.shown)
        return text if text.strip() else ""

    def leave_sessions(self) -> None:
        """Let the next message of each session in. Harmless twice."""
        for place in self.serial:
            if place is not None:
                place.leave()


def nobody_hears(chat: int) -> frozenset[str]:
    """No plugin hears what is said to nobody in ``chat``."""
    return frozenset()


class Dispatch:
    """Turns messages into jobs, in arrival order.

    ``hearing`` gives the plugins that hear what is said in a group to nobody, ``paused``
    whether the bot rests for all but its owner.
    """

    def __init__(
        self,
        *,
        routes: Routes,
        policy: Policy,
        owner: Owner,
        seats: Seats,
        failures: Failures,
        clock: Callable[[], float],
        hearing: Callable[[int], frozenset[str]] = nobody_hears,
        paused: Callable[[], bool] = lambda: False,
    ) -> None:
        self._routes = routes
        self._policy = policy
        self._owner = owner
        self._seats = seats
        self._failures = failures
        self._clock = clock
        self._hearing = hearing
        self._paused = paused
        self._askers = Line()
        self._controls = Line()
        self._sessions = Line()
        self._strangers: dict[int, float] = {}

    def job(self, message: Message | Press) -> Job | None:
        """What there is to do; None when nobody was spoken to."""
        if isinstance(message, Press):
            return self._pressed(message)
        access = self._policy.decide(message, owner=self._owner.id)
        if access in CLOSED and not self._claims(message):
            return self._turn_away(message) if access is Access.STRANGER else None
        if message.sender.id == self._owner.id:
            self._owner.language = message.sender.language
        command = self._routes.command(message)
        addressed = access is not Access.OVERHEARD
        if self._rests(message.sender.id) and not (command is not None and _control(command)):
            words = notices.paused(message.sender.language)
            return self._job(message, notice=words) if addressed else None
        language = message.sender.language
        if command is not None and not self._routes.serves(command.plugin, message):
            private = message.chat.kind == "private"
            words = notices.elsewhere(command.name, private=private, language=language)
            return self._job(message, notice=words) if addressed else None
        if command is not None:
            return self._job(message, command=command)
        if message.command and addressed:
            if message.chat.kind != "private" and not message.addressed:
                return None  # somebody else's command in a group without requireMention
            nearest = self._routes.nearest(message.command)
            words = notices.unknown_command(message.command, nearest, language)
            return self._job(message, notice=words)
        known = message.addressed or bool(message.command)
        hearing = NOBODY if known else self._hearing(message.chat.id)
        handlers = self._routes.handlers(message, addressed=addressed, hearing=hearing)
        if handlers:
            return self._job(message, handlers=handlers, addressed=addressed)
        if addressed and (message.addressed or message.chat.kind == "private"):
            return self._job(message, notice=notices.nobody(language))
        return None

    def _pressed(self, press: Press) -> Job | None:
        """The job of a press. Who may not write may not press; a stranger is told so."""
        message = pressing.as_message(press)
        access = self._policy.decide(message, owner=self._owner.id)
        if access is Access.STRANGER:
            words = notices.stranger(press.sender.id, press.language)
            return self._job(message, press=press, notice=words)
        if access is Access.REFUSED:
            return None
        if press.sender.id == self._owner.id:
            self._owner.language = press.language
        button = self._routes.button(press)
        words = "" if button else pressing.gone(press.language)
        if self._rests(press.sender.id) and not (button is not None and button.plugin == CORE):
            words = notices.paused(press.language)
        return self._job(message, press=press, button=button, notice=words)

    def _rests(self, sender: int) -> bool:
        """Whether the bot rests for ``sender``."""
        return self._paused() and not (self._owner.id and sender == self._owner.id)

    def _claims(self, message: Message) -> bool:
        """Whether somebody who may not write has the code that makes them the owner."""
        return (
            message.command == "start"
            and message.chat.kind == "private"
            and bool(message.args)
            and self._owner.fits(message.sender.id, message.args)
        )

    def _turn_away(self, message: Message) -> Job | None:
        now = self._clock()
        user = message.sender.id
        last = self._strangers.pop(user, None)
        if last is not None and now - last < STRANGER_PAUSE:
            self._strangers[user] = last
            return None
        self._strangers[user] = now
        if len(self._strangers) > STRANGERS:
            del self._strangers[next(iter(self._strangers))]
        return self._job(message, notice=notices.stranger(user, message.sender.language))

    def _job(
        self,
        message: Message,
        *,
        command: Command | None = None,
        handlers: tuple[Handler, ...] = (),
        press: Press | None = None,
        button: ButtonEntry | None = None,
        notice: str = "",
        addressed: bool = True,
    ) -> Job:
        found = command or button
        control = found is not None and _control(found)
        ask = ask_of(message, classify(message, control=control))
        # "/stop" is answered before what it stops.
        at_once = command is not None and command.control
        return Job(
            message=message,
            target=Target(
                chat_id=message.chat.id,
                topic=message.chat.topic,
                reply_to=message.id,
                private=message.chat.kind == "private",
            ),
            turn=(self._controls if at_once else self._askers).enter(message.asker),
            seat=self._seats.taken(ask),
            origin=Origin(ask, language=message.sender.language),
            command=command,
            handlers=handlers,
            press=press,
            button=button,
            serial=tuple([self._serial(handler, message) for handler in handlers]),
            notice=notice,
            addressed=addressed,
        )

    def _serial(self, handler: Handler, message: Message) -> Place | None:
        """The message's place in the line of the handler's key, if it has one."""
        if handler.serial is None:
            return None
        try:
            key = f"{handler.plugin}\0{handler.serial(message)}"
        except BaseException as error:
            if ends_us(error):
                raise
            self._failures.count(handler.plugin, error)
            return None
        return self._sessions.enter(key)


def _control(found: Command | ButtonEntry) -> bool:
    """Whether it takes no time, and goes ahead of everything."""
    return found.plugin == CORE or (isinstance(found, Command) and found.control)


CLOSED: Final = (Access.STRANGER, Access.REFUSED)
"""Only the code that makes its sender the owner gets past these."""
