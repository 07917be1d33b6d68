"""Who writes where in the demo: one person in private, or several in a group."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Final, Protocol

from .demo_control import Control, Event

USERNAME: Final = "clawd_bot"
ADA: Final = 101
GROUP: Final = -1001
OPERATOR: Final = 100
"""The made-up owner of the bot: gets its notes, so that they disturb no chat."""

_SHORT: Final = re.compile(r"(?<!\w)@bot\b", re.IGNORECASE)
_SPOKEN_TO: Final = re.compile(
    rf"(?<!\w)@{USERNAME}\b|^/[a-z0-9_]+(@{USERNAME})?(\s|$)", re.IGNORECASE
)
_SPEAKER: Final = re.compile(r"(\w+)\s*:\s*(.*)", re.DOTALL)
_AS: Final = re.compile(r"/as\s+(\w+)\s*")


class Room(Protocol):
    """A chat, and the people in it who are played here."""

    chat: int

    @property
    def speaker(self) -> str:
        """Who says the next line; "" where only one person writes."""
        ...

    def speak(self, line: str) -> bool:
        """Say a line; returns whether the bot is expected to answer it."""
        ...

    def label(self, message: Event) -> str:
        """Whom a message of the bot replies to, as ``"→ Ada"``; "" where nobody asks."""
        ...

    def welcome(self) -> list[str]:
        """What to tell somebody who sits down here."""
        ...


class Private:
    """A private chat; everything said there is answered."""

    def __init__(self, control: Control, env: Mapping[str, str] = os.environ) -> None:
        self.chat = ADA
        self._control = control
        _open_owner(control)
        control.user(ADA, "Ada", language_of(env))

    @property
    def speaker(self) -> str:
        """Nobody needs to be told apart."""
        return ""

    def speak(self, line: str) -> bool:
        """Say it as Ada."""
        self._control.say(ADA, line)
        return True

    def label(self, message: Event) -> str:
        """A private chat has one asker."""
        return ""

    def welcome(self) -> list[str]:
        """How to use it."""
        return [f"A private chat with @{USERNAME}. /help lists what it can do; Ctrl-D ends."]


class Group:
    """A group; whoever wants an answer mentions the bot, or gives a command.

    ``NAME: text`` speaks as one of those who are there, ``/as NAME`` lets
    anybody speak from then on. ``@bot`` is short for the bot's real name.
    """

    def __init__(self, control: Control, env: Mapping[str, str] = os.environ) -> None:
        self.chat = GROUP
        self._control = control
        self._language = language_of(env)
        self._people: dict[str, int] = {}
        _open_owner(control)
        control.group(GROUP, "News desk")
        for name, language in (("Ada", self._language), ("Bob", self._language), ("Mei", "zh")):
            self._join(name, language)
        self._speaker = "Ada"

    @property
    def speaker(self) -> str:
        """Who says a line that names nobody."""
        return self._speaker

    def speak(self, line: str) -> bool:
        """Say it, or change who speaks."""
        switch = _AS.fullmatch(line)
        if switch:
            self._speaker = switch[1].capitalize()
            if self._speaker not in self._people:
                self._join(self._speaker, self._language)
            return False
        named = _SPEAKER.fullmatch(line)
        if named and named[1].capitalize() in self._people:
            self._speaker, line = named[1].capitalize(), named[2]
        line = _SHORT.sub(f"@{USERNAME}", line.strip())
        if not line:
            return False
        self._control.say(self._people[self._speaker], line, GROUP)
        return _SPOKEN_TO.search(line) is not None

    def label(self, message: Event) -> str:
        """Whose message it replies to."""
        asked = message.get("reply_to_message", {}).get("from", {})
        return f"→ {asked['first_name']}" if asked else "→ all"

    def welcome(self) -> list[str]:
        """How to use it."""
        return [
            f"A group with @{USERNAME} (@bot for short): it answers those who mention it. "
            "Ctrl-D ends.",
            f'Here are {", ".join(self._people)}. "bob: hello @bot" speaks as Bob, '
            "/as NAME lets somebody else speak.",
        ]

    def _join(self, name: str, language: str) -> None:
        self._people[name] = ADA + len(self._people)
        self._control.user(self._people[name], name, language)


def _open_owner(control: Control) -> None:
    control.user(OPERATOR, "Owner", "en")


def language_of(env: Mapping[str, str]) -> str:
    """The person's language as an IETF tag, from the terminal's locale."""
    locale = env.get("LC_ALL") or env.get("LC_MESSAGES") or env.get("LANG") or ""
    found = re.match(r"([a-z]{2,3})(?:_([A-Za-z]{2}))?(?:[.@]|$)", locale)
    if found is None:
        return "en"
    return f"{found[1]}-{found[2].lower()}" if found[2] else found[1]
