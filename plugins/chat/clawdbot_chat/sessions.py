"""What was said in each chat: in memory only, bounded, and gone after a while.

Time is a parameter (seconds of a clock that only moves forward, the same in all
processes of a machine, so that a conversation ends in time in the next worker too). Nothing here
prints: the texts are people's words, so no class has a ``repr`` that shows them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from clawdcore import Memory, ValueTooLarge

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
    ``used`` when somebody last wrote; ``language`` their client's. ``ended`` says that
    it was taken out: what an answer under way adds is lost with it.
    """

    chat: int
    language: str = ""
    notes: list[Note] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    ratio: float = 1.0
    ceiling: int | None = None
    used: float = 0.0
    ended: bool = False

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
    """The conversations by :attr:`clawdcore.Message.session`, all of them in ``memory``.

    At most ``limit`` of them, the longest unused going first, and none unused
    for ``idle`` seconds. A session that was taken out may still be held by an
    answer under way; what that adds is lost with it.
    """

    def __init__(self, memory: Memory, *, limit: int, idle: float) -> None:
        self.limit = limit
        self.idle = idle
        self._memory = memory

    def __len__(self) -> int:
        return len(self._keys())

    @property
    def next_expiry(self) -> float | None:
        """When the longest unused session ends; None without sessions."""
        oldest = next(iter(self._keys()), None)
        session = None if oldest is None else self._at(oldest)
        return None if session is None else session.used + self.idle

    def all(self) -> list[tuple[str, Session]]:
        """Every session with its key, the longest unused first."""
        found = ((key, self._at(key)) for key in self._keys())
        return [(key, session) for key, session in found if session is not None]

    def open(self, key: str, *, chat: int, now: float) -> Session:
        """The newest session of ``key``, a new one where there is none."""
        self.expire(now)
        session = self._at(key) or Session(chat)
        session.used = now
        self._put(key, session)
        for oldest in self._keys()[: -self.limit]:
            self.drop(oldest)
        return session

    def keep(self, key: str, session: Session) -> None:
        """Remember a session to which an exchange was added.

        Where another worker's answer came meanwhile, the exchange goes after that.
        """
        current = self._at(key)
        if session.ended or current is None:
            return
        if current is not session:
            current.exchanges.append(session.exchanges[-1])
        self._put(key, current)

    def expire(self, now: float) -> None:
        """End the sessions that nobody used for too long."""
        for key in self._keys():
            session = self._at(key)
            if session is not None and session.used + self.idle > now:
                return
            self.drop(key)

    def drop(self, key: str) -> None:
        """End one session."""
        session = self._at(key)
        if session is not None:
            session.ended = True
        self._memory.delete(key)

    def forget_chat(self, chat: int) -> Erased:
        """End all sessions of a chat, those of its topics too."""
        erased = Erased()
        for key, session in self.all():
            if session.chat == chat:
                self.drop(key)
                erased += _held(session)
        return erased

    def forget_user(self, user: int) -> Erased:
        """End a user's private session, and take their questions out of all others."""
        # In a private chat the chat's id is the user's.
        erased = self.forget_chat(user)
        for key, session in self.all():
            # A copy also where nothing is found: an answer to them may be under way, and
            # must not be remembered.
            rest = session.without(user)
            session.ended = True
            self._put(key, rest)
            before, after = _held(session), _held(rest)
            if before != after:
                erased += Erased(
                    before.questions - after.questions, before.notes - after.notes, before.language
                )
        return erased

    def _keys(self) -> list[str]:
        return self._memory.keys()

    def _at(self, key: str) -> Session | None:
        return self._memory.get(key, Session)

    def _put(self, key: str, session: Session) -> None:
        """Remember it; the oldest of one that is too long for that goes."""
        while True:
            try:
                self._memory.set(key, session)
                return
            except ValueTooLarge:
                if not session.exchanges:
                    session.notes.clear()
                del session.exchanges[: (len(session.exchanges) + 1) // 2]


def _held(session: Session) -> Erased:
    return Erased(len(session.exchanges), len(session.notes), session.language)
