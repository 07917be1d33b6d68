"""How ``clawdbot init`` asks: on a terminal, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import click


class Asker(Protocol):
    """Whoever answers the questions. ``asks`` is False where defaults are taken."""

    asks: bool

    def text(self, question: str) -> str:
        """A line, "" for none."""
        ...

    def secret(self, question: str) -> str:
        """A line that isn't shown while it is typed, "" for none."""
        ...

    def confirm(self, question: str, *, default: bool) -> bool:
        """Yes or no."""
        ...

    def choose(self, question: str, choices: Sequence[str]) -> int:
        """The index of one of ``choices``; the first is the default."""
        ...


class Terminal:
    """Asks on the terminal."""

    asks = True

    def text(self, question: str) -> str:
        """As :meth:`Asker.text`."""
        answer: str = click.prompt(question, default="", show_default=False)
        return answer.strip()

    def secret(self, question: str) -> str:
        """As :meth:`Asker.secret`."""
        answer: str = click.prompt(question, default="", show_default=False, hide_input=True)
        return answer.strip()

    def confirm(self, question: str, *, default: bool) -> bool:
        """As :meth:`Asker.confirm`."""
        return click.confirm(question, default=default)

    def choose(self, question: str, choices: Sequence[str]) -> int:
        """As :meth:`Asker.choose`."""
        for number, choice in enumerate(choices, 1):
            click.echo(f"  {number}. {choice}")
        number = click.prompt(question, default=1, type=click.IntRange(1, len(choices)))
        return int(number) - 1


class Silent:
    """Takes every default."""

    asks = False

    def text(self, question: str) -> str:
        """Nothing."""
        return ""

    def secret(self, question: str) -> str:
        """Nothing."""
        return ""

    def confirm(self, question: str, *, default: bool) -> bool:
        """The default."""
        return default

    def choose(self, question: str, choices: Sequence[str]) -> int:
        """The first."""
        return 0
