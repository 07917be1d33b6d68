"""What was said in each chat: in memory only, bounded, and gone after a while.

Time is a parameter (seconds of a clock that only moves forward). Nothing here
prints: the texts are people's words, so no class has a ``repr`` that shows them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from .tokens import of_turn

RATIO: Final = (0.25, 4.0)
"""Between these a model's count may correct our estimate; beyond, one of the two is wrong."""


@dataclass(frozen=True, slots=True, repr=False)
class Exchange:
    """A question and its answer, so that a conversation's roles always alternate.

    ``user`` is who asked, ``name`` what the model was told as their name ("" in
    private). ``tokens`` is the estimate of both turns.
    """

    user: int
    name: str
    question: str
    answer: str
    tokens: int

    @classmethod
    def of(cls, user: int, name: str, question: str, answer: str) -> Exchange:
        """An exchange with its estimate."""
        return cls(user, name, question, answer, of_turn(question) + of_turn(answer))


@dataclass(frozen=True, slots=True, repr=False)
class Note:
    """The model's summary of exchanges that are no longer kept, by ``users``."""

    text: str
    users: frozenset[int]
    tokens: int

    @classmethod
    def of(cls, text: str, users: frozenset[int]) -> Note:
        """A note with its estimate."""
        return cls(text, users, of_turn(text))


def tokens_of(parts: Iterable[Exchange | Note]) -> int:
    """The estimate of several."""
    return sum(part.tokens for part in parts)


@dataclass(slots=True, repr=False)
class Session:
    """One conversation, oldest first: ``notes``, then ``exchanges`` word by word.

    ``ratio`` is real tokens over estimated ones, as last measured; ``ceiling`` the
    longest prompt to try after a longer one was refused, None where none was;
    ``used`` when somebody last wrote; ``language`` their client's.
    """

    chat: int
    language: str = ""
    notes: list[Note] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    ratio: float = 1.0
    ceiling: int | None = None
    used: float = 0.0

    @property
    def tokens(self) -> int:
        """The estimate of all that it holds."""
        return tokens_of(self.notes) + tokens_of(self.exchanges)

    def measured(self, estimated: int, counted: int) -> None:
        """Learn from a request: what we estimated, and what the model counted."""
        if estimated > 0 and counted > 0:
            low, high = RATIO
            self.ratio = min(high, max(low, counted / estimated))

    def without(self, user: int) -> Session:
        """A copy that has nothing of what ``user`` asked, nor any note about it."""
        return Session(
            self.chat,
            self.language,
            [note for note in self.notes if user not in note.users],
            [exchange for exchange in self.exchanges if exchange.user != user],
            self.ratio,
            self.ceiling,
            self.used,
        )


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased: how much, and the language of somebody who wrote there."""

    questions: int = 0
    notes: int = 0
    language: str = ""

    def __bool__(self) -> bool:
        return bool(self.questions or self.notes)

    def __add__(self, other: Erased) -> Erased:
        return Erased(
            self.questions + other.questions,
            self.notes + other.notes,
            self.language or other.language,
        )


class Sessions:
    """The conversations by :attr:`clawdcore.Message.session`.

    At most ``limit`` of them, the longest unused going first, and none unused
    for ``idle`` seconds. A session that was taken out may still be held by an
    answer under way; what that adds is lost with it.
    """

    def __init__(self, *, limit: int, idle: float) -> None:
        self.limit = limit
        self.idle = idle
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sessions)

    @property
    def next_expiry(self) -> float | None:
        """When the longest unused session ends; None without sessions."""
        oldest = next(iter(self._sessions.values()), None)
        return None if oldest is None else oldest.used + self.idle

    def open(self, key: str, *, chat: int, now: float) -> Session:
        """The session of ``key``, a new one where there is none."""
        self.expire(now)
        session = self._sessions.pop(key, None) or Session(chat)
        session.used = now
        self._sessions[key] = session
        while len(self._sessions) > self.limit:
            self._sessions.popitem(last=False)
        return session

    def expire(self, now: float) -> None:
        """End the sessions that nobody used for too long."""
        while (expiry := self.next_expiry) is not None and expiry <= now:
            self._sessions.popitem(last=False)

    def drop(self, key: str) -> None:
        """End one session."""
        self._sessions.pop(key, None)

    def forget_chat(self, chat: int) -> Erased:
        """End all sessions of a chat, those of its topics too."""
        erased = Erased()
        for key, session in list(self._sessions.items()):
            if session.chat == chat:
                erased += _held(self._sessions.pop(key))
        return erased

    def forget_user(self, user: int) -> Erased:
        """End a user's private session, and take their questions out of all others."""
        # In a private chat the chat's id is the user's.
        erased = self.forget_chat(user)
        for key, session in self._sessions.items():
            # A copy also where nothing is found: an answer to them may be under way, and
            # must not be remembered.
            rest = self._sessions[key] = session.without(user)
            before, after = _held(session), _held(rest)
            if before != after:
                erased += Erased(
                    before.questions - after.questions, before.notes - after.notes, before.language
                )
        return erased

    def clear(self) -> None:
        """End all sessions."""
        self._sessions.clear()


def _held(session: Session) -> Erased:
    return Erased(len(session.exchanges), len(session.notes), session.language)
