"""The books: what became of every message, read from the server's journal; pure.

Exactly one outcome each: answered (the whole token is in a message to its
asker), noticed (a message without any token answers it or names its asker), or
not addressed. After ``kill -9`` of everything one notice may speak for several
messages of one asker; it then says for how many.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from clawdcore.testing.botapi import Record

WHOLE: Final = re.compile(r"\[(k[0-9a-z]{12})\]")
BEGUN: Final = re.compile(r"\((k[0-9a-z]{12})\)")
SEPARATOR: Final = "\n\n· · ·\n"
"""Between replies that were merged into one message."""
SEVERAL: Final = re.compile(r"last (\d+) messages|when (\d+) messages")
KINDS: Final = {
    "interrupted": "I was interrupted",
    "stale": "I was away",
    "poison": "makes me fail",
    "resting": "is resting",
    "too_late": "took too long",
    "failed": "went wrong",
    "busy": "busy",
}
"""Notices by words of theirs."""

Key = tuple[int, int]
"""A message: chat and message id."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A message that somebody wrote. ``culprit``: it was to bring the worker down."""

    token: str
    chat: int
    user: int
    message: int
    addressed: bool
    how: str
    culprit: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """One reply as it was shown: in a message of its own, or merged with others."""

    key: Key
    n: int
    place: int
    text: str
    reply_to: int
    user: int


@dataclass(slots=True)
class Balance:
    """How the books stand. Each list holds tokens, or descriptions without content."""

    injected: int = 0
    addressed: int = 0
    answered: int = 0
    noticed: int = 0
    unaddressed: int = 0
    lost: list[str] = field(default_factory=list)
    both: list[str] = field(default_factory=list)
    """Answered, and a notice for it alone says otherwise."""
    duplicates: int = 0
    """Answers beyond the first of each message."""
    torn: int = 0
    """Answers that were begun, never finished, and not taken away."""
    torn_lost: int = 0
    misdirected: int = 0
    uninvited: int = 0
    disordered: int = 0
    """Answers that came before an earlier one to the same asker in the same chat."""
    unexplained: int = 0
    """Messages of the bot that are neither an answer nor a notice for anybody."""
    notices: Counter[str] = field(default_factory=Counter)
    culprits_answered: int = 0
    innocents_noticed: Counter[str] = field(default_factory=Counter)


class Books:
    """Keeps what was asked, and reads records as they come."""

    def __init__(self) -> None:
        self.asked: dict[str, Asked] = {}
        self._by_key: dict[Key, Asked] = {}
        self._shown: dict[Key, Record] = {}
        self._first: dict[str, tuple[int, int]] = {}
        self._noticed: set[str] = set()
        self._open: set[str] = set()
        self.last = 0
        self.answered_at: dict[str, float] = {}
        """When each token was first answered, in seconds since the epoch."""

    def ask(self, asked: Asked) -> None:
        """Somebody has written."""
        self.asked[asked.token] = asked
        self._by_key[asked.chat, asked.message] = asked
        if asked.addressed:
            self._open.add(asked.token)

    def read(self, records: Iterable[Record]) -> None:
        """Take in what the bot did since."""
        for record in records:
            self.last = max(self.last, record.n)
            if record.kind not in ("sent", "edit"):
                continue
            self._shown[record.chat_id, record.message["message_id"]] = record
            for part in parts(record):
                for found in WHOLE.finditer(part.text):
                    token = found.group(1)
                    self._first.setdefault(token, (record.n, part.place))
                    self.answered_at.setdefault(token, record.at)
                    self._open.discard(token)
                if not _tokens(part):
                    spoken = self._spoken_for(part)
                    self._open.difference_update(covered(part, spoken, self._open))

    @property
    def open(self) -> int:
        """How many messages have no outcome yet, as far as can be told on the way."""
        return len(self._open)

    def kinds(self, tokens: Iterable[str]) -> dict[str, int]:
        """How many of these messages there are of each kind of chat and message."""
        asked = (self.asked[token] for token in tokens)
        places = (f"{a.how} in {'private' if a.chat > 0 else 'a group'}" for a in asked)
        return dict(Counter(places))

    def balance(self) -> Balance:
        """How the books stand now."""
        result = Balance(injected=len(self.asked))
        answers: dict[str, set[Key]] = defaultdict(set)
        begun: set[tuple[str, Key]] = set()
        notices: list[Part] = []
        for record in self._shown.values():
            for part in parts(record):
                whole, started = WHOLE.findall(part.text), BEGUN.findall(part.text)
                for token in whole:
                    answers[token].add(part.key)
                    result.misdirected += not self._reaches(token, part)
                begun.update((token, part.key) for token in started if token not in whole)
                if not whole and not started:
                    notices.append(part)
        alone, shared = self._notices(notices, answers, result)
        for token, asked in self.asked.items():
            self._settle(
                asked, len(answers.get(token, ())), token in alone, token in shared, result
            )
        result.torn = sum(token in answers for token, _ in begun)
        result.torn_lost = len(begun) - result.torn
        result.disordered = self._disorder()
        return result

    def _settle(
        self, asked: Asked, answers: int, alone: bool, shared: bool, result: Balance
    ) -> None:
        result.duplicates += max(answers - 1, 0)
        if not asked.addressed:
            result.unaddressed += 1
            result.uninvited += answers > 0 or alone
            return
        result.addressed += 1
        if answers:
            result.answered += 1
            result.culprits_answered += asked.culprit
            if alone:
                result.both.append(asked.token)
        elif alone or shared:
            result.noticed += 1
        else:
            result.lost.append(asked.token)

    def _notices(
        self, notices: list[Part], answers: dict[str, set[Key]], result: Balance
    ) -> tuple[set[str], set[str]]:
        """The tokens that a notice of their own, or a shared one, speaks for."""
        alone: set[str] = set()
        shared: set[str] = set()
        for part in sorted(notices, key=lambda part: (part.n, part.place)):
            kind = kind_of(part.text)
            result.notices[kind] += 1
            spoken = self._spoken_for(part)
            if not spoken:
                result.unexplained += 1
                continue
            if not all(asked.culprit for asked in spoken):
                result.innocents_noticed[kind] += 1
            unsettled = {a.token for a in spoken if not answers.get(a.token)} - alone - shared
            several = many(part.text) > 1
            (shared if several else alone).update(covered(part, spoken, unsettled))
        return alone, shared

    def _spoken_for(self, part: Part) -> list[Asked]:
        """The messages that a notice may be about, newest first."""
        last = self._by_key.get((part.key[0], part.reply_to)) if part.reply_to else None
        if last is not None and many(part.text) == 1:
            return [last]
        user = last.user if last is not None else part.user
        chat = [
            asked
            for asked in self.asked.values()
            if asked.chat == part.key[0]
            and asked.addressed
            and (not user or asked.user == user)
            and (last is None or asked.message <= last.message)
        ]
        return sorted(chat, key=lambda asked: -asked.message)

    def _reaches(self, token: str, part: Part) -> bool:
        asked = self.asked.get(token)
        if asked is None or asked.chat != part.key[0]:
            return False
        return part.reply_to == asked.message or part.user == asked.user

    def _disorder(self) -> int:
        lines: dict[Key, list[Asked]] = defaultdict(list)
        for asked in self.asked.values():
            if asked.addressed and asked.token in self._first:
                lines[asked.chat, asked.user].append(asked)
        count = 0
        for line in lines.values():
            times = [self._first[a.token] for a in sorted(line, key=lambda a: a.message)]
            count += sum(later < before for before, later in pairwise(times))
        return count


def parts(record: Record) -> list[Part]:
    """The replies in a message: the first by reply, the others by a mention of who asked."""
    message = record.message
    key = record.chat_id, int(message["message_id"])
    reply_to = int(message.get("reply_to_message", {}).get("message_id", 0))
    texts = record.text.split(SEPARATOR)
    mentions = [e["user"]["id"] for e in message.get("entities", ()) if e["type"] == "text_mention"]
    users = [0, *mentions] if len(mentions) == len(texts) - 1 else [0] * len(texts)
    return [
        Part(key, record.n, place, text, 0 if place else reply_to, user)
        for place, (text, user) in enumerate(zip(texts, users, strict=True))
    ]


def covered(part: Part, spoken: list[Asked], unsettled: set[str]) -> list[str]:
    """The tokens that a notice settles. ``spoken`` are those it may be about, newest first.

    What it replies to is settled whatever else was said to it; a shared notice
    settles the newest that nothing else does, one by name the oldest.
    """
    left = [asked.token for asked in spoken if asked.token in unsettled]
    if many(part.text) > 1:
        return left[: many(part.text)]
    return [spoken[0].token] if part.reply_to and spoken else left[-1:]


def kind_of(text: str) -> str:
    """Which notice it is."""
    return next((kind for kind, words in KINDS.items() if words in text), "other")


def many(text: str) -> int:
    """For how many messages a notice speaks."""
    found = SEVERAL.search(text)
    return int(found.group(1) or found.group(2)) if found else 1


def _tokens(part: Part) -> bool:
    return bool(WHOLE.search(part.text) or BEGUN.search(part.text))


def as_figures(balance: Balance) -> dict[str, Any]:
    """The balance as numbers by name."""
    names = (
        "injected", "addressed", "answered", "noticed", "unaddressed", "duplicates", "torn",
        "torn_lost", "misdirected", "uninvited", "disordered", "unexplained", "culprits_answered",
    )  # fmt: skip
    return {name: getattr(balance, name) for name in names} | {
        "lost": len(balance.lost),
        "both": len(balance.both),
        "notices": dict(balance.notices),
        "innocents_noticed": dict(balance.innocents_noticed),
    }
