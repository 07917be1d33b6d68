"""Where a message or a press goes: one look-up in a dictionary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from difflib import get_close_matches
from typing import TypeVar

from msgspec.structs import replace

from ..hooks.command import Command
from ..hooks.needs import Needs
from ..hooks.registration import ButtonEntry, Handler
from ..messages import Kind, Message, Press
from .results import caller

NOTHING: tuple[Handler, ...] = ()
Entry = TypeVar("Entry", Command, Handler, ButtonEntry)


class Routes:
    """Tables built once from what plugins registered.

    A command costs the same with one plugin and with a hundred. Other messages
    get the handlers of their (kind, addressed), in plugin-list order. All the
    functions in these tables can be awaited, whatever kind they were. ``needs`` are those
    of plugins that want messages of some chats only.
    """

    def __init__(
        self,
        commands: dict[str, Command],
        handlers: Iterable[Handler],
        threads: Executor,
        buttons: Iterable[ButtonEntry] = (),
        needs: Mapping[str, Needs] | None = None,
    ) -> None:
        self._needs = {name: each for name, each in (needs or {}).items() if each.chats != "all"}
        self.commands = {word: _awaitable(entry, threads) for word, entry in commands.items()}
        self._buttons = {entry.key: _awaitable(entry, threads) for entry in buttons}
        table: dict[tuple[Kind, bool], list[Handler]] = {}
        for handler in [_awaitable(entry, threads) for entry in handlers]:
            for kind in handler.kinds:
                table.setdefault((kind, handler.addressed), []).append(handler)
        self._handlers = {key: tuple(found) for key, found in table.items()}

    def command(self, message: Message) -> Command | None:
        """The command that the message calls, if it is one of ours."""
        return self.commands.get(message.command) if message.command else None

    def handlers(
        self, message: Message, *, addressed: bool, hearing: frozenset[str] = frozenset()
    ) -> tuple[Handler, ...]:
        """Who is asked about a message that is no command.

        ``hearing`` are the plugins that hear what is said to nobody: their handlers are
        asked for both kinds, first those for what is said to somebody else.
        """
        kind = message.kind
        found = self._handlers.get((kind, addressed), NOTHING)
        if hearing:
            other = self._handlers.get((kind, not addressed), NOTHING)
            more = tuple(handler for handler in other if handler.plugin in hearing)
            found = more + found if addressed else found + more
        if self._needs:
            found = tuple(handler for handler in found if self.serves(handler.plugin, message))
        return found

    def serves(self, plugin: str, message: Message) -> bool:
        """Whether a plugin wants messages of such chats."""
        needs = self._needs.get(plugin)
        return needs is None or needs.in_chat(message.chat.kind)

    def button(self, press: Press) -> ButtonEntry | None:
        """What the pressed button does; None where its plugin is gone."""
        return self._buttons.get(press.key)

    def nearest(self, word: str) -> str:
        """The known command that looks most like ``word``, or ""."""
        found = get_close_matches(word, self.commands, n=1)
        return found[0] if found else ""


def _awaitable(entry: Entry, threads: Executor) -> Entry:
    changed = {"function": caller(entry.function, threads)}
    if not isinstance(entry, ButtonEntry) and entry.cheaper is not None:
        changed["cheaper"] = caller(entry.cheaper, threads)
    same = all(getattr(entry, name) is function for name, function in changed.items())
    return entry if same else replace(entry, **changed)
