"""Commands as tools that a model may call."""

from __future__ import annotations

from typing import Protocol

from ..backend import Tool
from ..messages import Message


class Tools(Protocol):
    """The commands that were registered with ``tool=True``, of all plugins."""

    def all(self) -> tuple[Tool, ...]:
        """What to put into :attr:`~clawdcore.Request.tools`; () where there are none.

        Tools of a plugin that rests are left out.
        """
        ...

    async def call(self, name: str, arguments: str, message: Message) -> str:
        """What the command gives, as text for the model.

        ``arguments`` is the JSON text of a :class:`~clawdcore.ToolCall`, unchecked;
        ``message`` is the one that is being answered: the command gets it with its own name
        and no ``args``, and acts for its sender. Whatever goes wrong comes back as a sentence
        that begins with "Error:", so that the model can make something of it. Buttons are
        left out. At most 16384 characters.
        """
        ...


class NoTools:
    """Stands in where no bot runs: there are none."""

    def all(self) -> tuple[Tool, ...]:
        """None."""
        return ()

    async def call(self, name: str, arguments: str, message: Message) -> str:
        """Say that there is none."""
        return f"Error: there is no tool {name!r}."
