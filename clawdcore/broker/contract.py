"""The contract: plain records both ways, over a port with a bound.

Every record is a msgspec struct with a tag, so that a broker that crosses a
process encodes it without knowing what it is. The edge greets with
:class:`Hello` and what earlier workers had remembered; the worker answers with
:class:`Ready`, and only then gets updates. An update's bytes go out with
:class:`Deliver`, and it stays open until :class:`Done` says what became of it: of
a worker that dies, the edge delivers what is open to the next one. A clean stop
is :class:`Stop`, or the edge closing its port.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Final

import msgspec

from ..hooks.chats import Member
from ..messages import Content, Format, Keyboard, Receipt, Reply


class Outcome(StrEnum):
    """How the work on one update ended; each update has exactly one."""

    ANSWERED = "answered"
    NOTICED = "noticed"
    UNADDRESSED = "unaddressed"
    SKIPPED = "skipped"


class Bot(msgspec.Struct, frozen=True):
    """Who we are on the channel."""

    id: int
    username: str
    reads_all_groups: bool = False


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where something is sent. ``reply_to`` is the message it answers, 0 for none."""

    chat_id: int
    topic: int | None = None
    reply_to: int = 0
    private: bool = True


class Hello(msgspec.Struct, frozen=True, tag=True):
    """The first record to a worker. ``restart`` counts the workers before it.

    ``resting`` are plugins that brought workers down, with the seconds for which
    each must still be left alone. So many records :class:`Remembered` follow.
    """

    bot: Bot
    restart: int = 0
    remembered: int = 0
    resting: tuple[tuple[str, float], ...] = ()


class Remembered(Content, msgspec.Struct, frozen=True, tag=True):
    """What another worker has remembered: after Hello, and while two of them run."""

    plugin: str
    key: str
    body: bytes


class Deliver(Content, msgspec.Struct, frozen=True, tag=True):
    """An update: its id, and its bytes as they came."""

    id: int
    body: bytes
    attempt: int = 1


class Fetched(Content, msgspec.Struct, frozen=True, tag=True):
    """The answer to :class:`Fetch`: the bytes, or why there are none.

    A file comes in pieces of at most :data:`FETCH_PIECE` bytes; ``more`` says that
    another one of the same ``request`` follows.
    """

    request: int
    data: bytes = b""
    error: str = ""
    more: bool = False


class Answered(msgspec.Struct, frozen=True, tag=True):
    """The answer to :class:`AskMember` or :class:`DeleteLater` of the same ``request``.

    ``error`` is "" or why it was not done, in a line for people.
    """

    request: int
    member: Member = Member()
    error: str = ""


class Due(msgspec.Struct, frozen=True, tag=True):
    """A planned call is due. ``id`` is the edge's; answered by :class:`Called`."""

    id: int
    plugin: str
    name: str
    chat: int = 0
    user: int = 0
    planned: float = 0.0


class Tell(msgspec.Struct, frozen=True, tag=True):
    """Tell the owner: ``kind`` and ``subject`` as in the worker's notices."""

    kind: str
    subject: str = ""


class Stop(msgspec.Struct, frozen=True, tag=True):
    """Finish what is under way, say all there is to say, and close."""


class Delivered(msgspec.Struct, frozen=True, tag=True):
    """What became of a :class:`Send`."""

    receipt: Receipt


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The worker has started and takes updates.

    ``notes`` are lines for whoever runs the bot; ``failure`` is "" or why the
    bot can't run at all. An ``exclusive`` worker must end before the next begins.
    ``disabled`` are the plugins that it does without, ``homes`` where the code of the
    others stands: a folder with "/" at its end, or a file.
    """

    notes: tuple[str, ...] = ()
    failure: str = ""
    exclusive: bool = False
    disabled: tuple[str, ...] = ()
    homes: dict[str, str] = {}


class Beat(msgspec.Struct, frozen=True, tag=True):
    """The worker's event loop turns; comes every :data:`BEAT` seconds."""


class Started(msgspec.Struct, frozen=True, tag=True):
    """Work on an update begins, in ``plugin`` if that is not ""; an attempt counts."""

    id: int
    plugin: str = ""


class Rests(msgspec.Struct, frozen=True, tag=True):
    """``plugin`` kept failing and rests for so many seconds, in the next worker too."""

    plugin: str
    seconds: float


class Draft(Content, msgspec.Struct, frozen=True, tag=True):
    """The answer so far, to be shown if there is room; ``text`` is all of it."""

    id: int
    target: Target
    text: str

    SHOWN: ClassVar[frozenset[str]] = frozenset({"target"})


class Send(Content, msgspec.Struct, frozen=True, tag=True):
    """A reply to hand out. ``id`` is the update it answers, 0 for none.

    ``notice`` tells it from an answer: what can't be known to have arrived is
    repeated once for an answer, never for a notice. ``asker`` and ``name`` are
    who is answered (0 for nobody), ``streamed`` whether drafts of it were shown:
    it then goes alone. ``edited``: the message it answers was edited, so that an
    earlier answer to it is edited too where that can be. ``interim``: the reply is still
    to come, and this one leaves the update open: a place in line, for example.
    ``shared``: others may get the very same, from the same generation.
    """

    id: int
    target: Target
    reply: Reply
    notice: bool = False
    asker: int = 0
    name: str = ""
    streamed: bool = False
    edited: bool = False
    interim: bool = False
    shared: bool = False

    SHOWN: ClassVar[frozenset[str]] = frozenset({"target"})


class AnswerPress(Content, msgspec.Struct, frozen=True, tag=True):
    """End the wait of who pressed a button, with ``text`` (200 characters) if it is not "".

    Best effort. ``id`` is the update with the press, ``query`` the channel's handle of it.
    """

    id: int
    query: str
    text: str = ""
    alert: bool = False


class EditMessage(Content, msgspec.Struct, frozen=True, tag=True):
    """Change a message that the bot has sent; ``text`` None leaves its text.

    Best effort, in order for each message. It has ``buttons`` from then on.
    """

    chat_id: int
    message_id: int
    text: str | None = None
    format: Format = "plain"
    buttons: Keyboard = ()

    SHOWN: ClassVar[frozenset[str]] = frozenset({"format"})


class DeleteMessage(msgspec.Struct, frozen=True, tag=True):
    """Delete a message that the bot has sent. Best effort."""

    chat_id: int
    message_id: int


class Done(msgspec.Struct, frozen=True, tag=True):
    """The worker has sent all there is for an update."""

    id: int
    outcome: Outcome


class Fetch(msgspec.Struct, frozen=True, tag=True):
    """Ask for a file's bytes; answered by :class:`Fetched` of the same ``request``."""

    request: int
    file_id: str


class AskMember(msgspec.Struct, frozen=True, tag=True):
    """Ask what a user may do in a chat; answered by :class:`Answered`."""

    request: int
    chat_id: int
    user_id: int


class DeleteLater(msgspec.Struct, frozen=True, tag=True):
    """Delete a message, anybody's, in ``after`` seconds; durable once :class:`Answered`."""

    request: int
    chat_id: int
    message_id: int
    after: float = 0.0


class Drain(msgspec.Struct, frozen=True, tag=True):
    """End the bot as SIGTERM does: take nothing new, finish what is under way."""


class Commands(msgspec.Struct, frozen=True, tag=True):
    """The commands for the channel's menu, by language ("" for all others)."""

    language: str
    commands: tuple[tuple[str, str], ...]


class Remember(Content, msgspec.Struct, frozen=True, tag=True):
    """Keep something for the next worker, in memory only; None forgets it."""

    plugin: str
    key: str
    body: bytes | None = None


class Plan(msgspec.Struct, frozen=True, tag=True):
    """Plan a call of ``name`` of a plugin, in place of an earlier plan of the same four names.

    ``due`` is in seconds since the epoch, None to cancel; ``every`` is seconds
    between calls, 0 for one call.
    """

    plugin: str
    name: str
    chat: int = 0
    user: int = 0
    due: float | None = None
    every: float = 0.0


class Called(msgspec.Struct, frozen=True, tag=True):
    """The work on :class:`Due` is over, one way or another."""

    id: int


ToWorker = Hello | Remembered | Deliver | Fetched | Answered | Due | Tell | Delivered | Stop
ToEdge = (
    Ready
    | Beat
    | Started
    | Rests
    | Draft
    | Send
    | AnswerPress
    | EditMessage
    | DeleteMessage
    | Done
    | Fetch
    | AskMember
    | DeleteLater
    | Drain
    | Commands
    | Remember
    | Plan
    | Called
)

BEAT: Final = 0.5
"""Seconds between two signs of life of a worker."""
FETCH_PIECE: Final = 256 * 1024
"""Bytes of a file in one record."""
