"""What became of each message of a rehearsal, from what the bot did in the chats. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal

import msgspec

from ..edge.delivery.merging import ALSO, SEPARATOR
from ..edge.markup import units
from ..errors import BackendError
from ..messages import Content
from ..worker import notices
from .demo_control import Event
from .demo_piped import PART, text_of

Kind = Literal["answered", "refused", "late", "failed", "open"]
LANGUAGE: Final = "en"
"""The people of a rehearsal read English, so that the bot's own words are known."""

_NUMBER: Final = 987_654
_COUNT: Final = 876_543


def _pattern(words: str) -> re.Pattern[str]:
    """The words of a notice with its numbers open."""
    found = re.escape(words).replace(str(_NUMBER), r"(\d+)").replace(str(_COUNT), r"(\d+)")
    return re.compile(found)


_REFUSED: Final = _pattern(notices.refused(1, _NUMBER, LANGUAGE))
_REFUSED_MANY: Final = _pattern(notices.refused(_COUNT, _NUMBER, LANGUAGE))
_IN_LINE: Final = _pattern(notices.in_line(_COUNT, _NUMBER, LANGUAGE))
_RESTING: Final = _pattern(notices.resting(_NUMBER, LANGUAGE))
_TOO_LATE: Final = notices.too_late(LANGUAGE)
_FAILED: Final = (
    notices.backend(BackendError("No model."), LANGUAGE),
    notices.failed(LANGUAGE),
    notices.nothing(LANGUAGE),
    notices.nobody(LANGUAGE),
)


class Asked(msgspec.Struct, frozen=True):
    """A message that was written and must be answered.

    ``due`` is when it should have been written, in seconds since the epoch.
    """

    due: float
    user: int
    chat: int
    message_id: int
    group: bool = False


class Outcome(msgspec.Struct, frozen=True):
    """What became of it; ``at`` is when, ``eta`` the seconds that a refusal named."""

    kind: Kind = "open"
    at: float | None = None
    eta: float | None = None


OPEN: Final = Outcome()


class _Said(Content, msgspec.Struct):
    """A message of the bot: whom its parts answer, as numbers of ``asked``.

    ``parts`` says for each of them which part.
    """

    text: str
    at: float
    answers: list[int | None]
    parts: list[int]


def outcomes(asked: Sequence[Asked], events: Iterable[Event]) -> list[Outcome]:
    """What became of each of ``asked``, by the end of ``events``.

    An answer is there when the last of it is: the last of its messages, as last
    edited. One notice may speak for several messages of a chat; which ones it
    doesn't say, so it is counted for the oldest that got nothing else.
    """
    said = _said(asked, events)
    found = [OPEN] * len(asked)
    spoken: list[tuple[int, int, Outcome]] = []
    for chat, message in said:
        for text, number in zip(_texts(message), message.answers, strict=True):
            outcome, others = _read(text, message.at)
            if number is None or outcome is None:
                continue
            if (found[number].at or 0.0) <= message.at:
                found[number] = outcome
            if others:
                spoken.append((chat, others, outcome))
    places = _by_chat(asked)
    for chat, others, outcome in spoken:
        waiting = (
            n
            for n in places.get(chat, ())
            if found[n] is OPEN and asked[n].due <= (outcome.at or 0.0)
        )
        for n in list(waiting)[:others]:
            found[n] = outcome
    return found


def _said(asked: Sequence[Asked], events: Iterable[Event]) -> list[tuple[int, _Said]]:
    """The bot's messages with their chats, oldest first, as they were last."""
    book = _Book(asked)
    for event in events:
        if event["kind"] in ("sent", "edit"):
            book.take(event)
    return [(chat, said) for (chat, _), said in book.said.items()]


def _by_chat(asked: Sequence[Asked]) -> dict[int, list[int]]:
    """The numbers of the messages of each chat, in order."""
    places: dict[int, list[int]] = {}
    for n, each in enumerate(asked):
        places.setdefault(each.chat, []).append(n)
    return places


class _Book:
    """Finds whom each message answers, in order of time."""

    def __init__(self, asked: Sequence[Asked]) -> None:
        self._asked = asked
        self._places = _by_chat(asked)
        self._by_id = {(each.chat, each.message_id): n for n, each in enumerate(asked)}
        self._taken: set[int] = set()
        self._newest: dict[int, _Said] = {}
        self.said: dict[tuple[int, int], _Said] = {}

    def take(self, event: Event) -> None:
        """A message was sent, or edited."""
        chat, message, at = event["chat_id"], event["message"], event["at"]
        text = text_of(message)
        key = (chat, message["message_id"])
        known = self.said.get(key)
        if known is not None:
            known.text, known.at = text, at
            return
        head = self._head(chat, message, text)
        said = self.said[key] = _Said(text, at, [head], [0])
        if _IN_LINE.fullmatch(text):
            return
        self._newest[chat] = said
        if head is not None:
            self._taken.add(head)
        for user, part in _named(message):
            said.answers.append(self._oldest(chat, user))
            said.parts.append(part)

    def _head(self, chat: int, message: Event, text: str) -> int | None:
        quoted = message.get("reply_to_message", {}).get("message_id")
        if quoted is not None:
            return self._by_id.get((chat, quoted))
        before = self._newest.get(chat)
        if before is not None and len(before.text) >= PART:
            return before.answers[-1]  # the next part of a long answer
        return None if _IN_LINE.fullmatch(text) else self._oldest(chat, None)

    def _oldest(self, chat: int, user: int | None) -> int | None:
        """The first message of the chat that has no answer; of ``user``, unless None.

        The bot answers each person in order.
        """
        for n in self._places.get(chat, ()):
            if n not in self._taken and user in (None, self._asked[n].user):
                self._taken.add(n)
                return n
        return None


def _named(message: Event) -> Iterator[tuple[int, int]]:
    """Whom a merged message names, and which part is theirs: 0 for the first one's too."""
    text = message.get("text", "")
    if SEPARATOR not in text:
        return
    parts = text.split(SEPARATOR)
    part, ends = 0, units(parts[0])
    for entity in message.get("entities", ()):
        if entity["type"] != "text_mention":
            continue
        while entity["offset"] >= ends and part + 1 < len(parts):
            part += 1
            ends += units(SEPARATOR + parts[part])
        yield entity["user"]["id"], 0 if parts[part].startswith(ALSO) else part


def _texts(said: _Said) -> list[str]:
    """The text of each of its answers; a separator that a model wrote separates nothing."""
    parts = said.text.split(SEPARATOR)
    written = [each for each in parts if not each.startswith(ALSO)]
    if len(written) != len(set(said.parts)) or max(said.parts) >= len(parts):
        return [said.text, *[""] * (len(said.answers) - 1)]
    return [parts[part] if part == 0 else parts[part].partition(":\n")[2] for part in said.parts]


def _read(text: str, at: float) -> tuple[Outcome | None, int]:
    """What a text of the bot means, and for how many other messages it speaks.

    None where it is no outcome: somebody's place in line.
    """
    text = text.strip()
    if _IN_LINE.fullmatch(text):
        return None, 0
    if found := _REFUSED.fullmatch(text):
        return Outcome("refused", at, float(found[1])), 0
    if found := _REFUSED_MANY.fullmatch(text):
        return Outcome("refused", at, float(found[2])), int(found[1]) - 1
    # Where an answer broke off, the reason stands below it in brackets.
    reason = text.rpartition("\n\n[")[2].removesuffix("]") if text.endswith("]") else text
    if reason == _TOO_LATE:
        return Outcome("late", at), 0
    if found := _REFUSED.fullmatch(reason):
        return Outcome("refused", at, float(found[1])), 0
    if reason in _FAILED or _RESTING.fullmatch(reason):
        return Outcome("failed", at), 0
    return Outcome("answered", at), 0
