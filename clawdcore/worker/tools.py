"""Commands as a model calls them: JSON in, text out, and whatever goes wrong as a sentence."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import Executor
from typing import Final

import msgspec

from ..backend import Tool
from ..errors import ClawdBotError, UsageError
from ..hooks.command import Command
from ..messages import PASS, Message, Reply
from .failures import Failures
from .guard import ends_us, within
from .results import call, piece_of, produced
from .streaming import closing

RESULT_LIMIT: Final = 16_384
"""Characters of one result: half of what a model of 32,768 tokens takes, at worst."""
CUT: Final = "… (cut)"
DONE: Final = "Done."
"""What a command without a result comes to."""

_object = msgspec.json.Decoder(dict[str, object])


class BotTools:
    """Implements :class:`clawdcore.Tools`, for all plugins.

    ``commands`` gives the present ones, ``seconds`` how long a call of a plugin may take.
    """

    def __init__(
        self,
        commands: Callable[[], Iterable[Command]],
        threads: Executor,
        failures: Failures,
        seconds: Callable[[str], float | None] = lambda plugin: None,
    ) -> None:
        self._commands = commands
        self._threads = threads
        self._failures = failures
        self._seconds = seconds

    def all(self) -> tuple[Tool, ...]:
        """As :meth:`clawdcore.Tools.all`."""
        return tuple(
            Tool(name, command.summary, command.schema())
            for name, command in self._offered().items()
            if not self._failures.rest(command.plugin)
        )

    async def call(self, name: str, arguments: str, message: Message) -> str:
        """As :meth:`clawdcore.Tools.call`."""
        command = self._offered().get(name)
        if command is None:
            return "Error: there is no such tool."
        if self._failures.rest(command.plugin):
            return "Error: this tool had errors and is resting. Do without it."
        try:
            words = command.arguments(_object.decode(arguments or "{}"))
        except UsageError as error:
            return _wrong(command, error)
        except msgspec.DecodeError:
            return "Error: the arguments are no JSON object."
        asked = msgspec.structs.replace(message, command=command.name, args="")
        try:
            work = self._text(command, asked, words)
            limit = self._seconds(command.plugin)
            with self._failures.usage.call(command.plugin):
                text = await (work if limit is None else within(limit, work))
        except UsageError as error:
            return _wrong(command, error)
        except ClawdBotError as error:
            return f"Error: {error.what}"
        except BaseException as error:
            if ends_us(error):
                raise
            self._failures.count(command.plugin, error)
            return "Error: the tool failed."
        self._failures.forgive(command.plugin)
        return text if len(text) <= RESULT_LIMIT else text[: RESULT_LIMIT - len(CUT)] + CUT

    def _offered(self) -> dict[str, Command]:
        return {command.name: command for command in self._commands() if command.tool}

    async def _text(self, command: Command, message: Message, words: dict[str, object]) -> str:
        given = await call(command.function, self._threads, message, **words)
        result = produced(command.plugin, given, command.format)
        if isinstance(result, AsyncIterator):
            pieces: list[str] = []
            length = 0
            async with closing(result):
                async for piece in result:
                    if piece_of(command.plugin, piece):
                        pieces.append(piece)
                        length += len(piece)
                    if length > RESULT_LIMIT:
                        break
            return "".join(pieces) or DONE
        if isinstance(result, Reply):
            return result.text or DONE
        return "Error: the tool has nothing to say to that." if result is PASS else DONE


def _wrong(command: Command, error: UsageError) -> str:
    return f"Error: {error} Usage: {command.usage}"
