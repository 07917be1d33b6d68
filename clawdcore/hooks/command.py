"""A command is a typed function: its signature gives parsing, usage and schema.

Words are split at white space; quotes keep words together. The last parameter
takes the rest of the text as it was typed when it is a ``str``. A parameter
with a default may be left out; when its word doesn't fit its type and more
parameters follow, the word is tried on the next one, so that
``/translate [language] text`` needs no marks.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, get_args, get_type_hints

import msgspec

from ..errors import UsageError
from ..messages import Format
from .catalogues import CORE, Catalogue, catalogue_of
from .conversion import choices, convert, expected, parseable, plain, written
from .errors import bad_registration

NAME: Final = re.compile(r"[a-z0-9_]{1,32}")
"""What Telegram allows in a command (core.telegram.org/bots/api#botcommand)."""

DESCRIPTION_LIMIT: Final = 256
"""Characters of a command's description in Telegram's menu (same source)."""

FORMATS: Final[tuple[str, ...]] = get_args(Format)
"""What the text of a plugin may be."""

NAME_SHOWN: Final = 64
"""Characters of a name that is not ours, in what is said of it."""
MISSING: Final = inspect.Parameter.empty
ALLOWED: Final = (
    "str, int, float, bool, Literal, an Enum, a type with a classmethod parse(word), "
    "or one of these | None"
)
"""What a parameter's annotation may be."""
_WORD: Final = re.compile(r'\s*(?:"([^"]*)"|“([^”]*)”|(\S+))')


class Parameter(msgspec.Struct, frozen=True):
    """One argument of a command, read from the function's signature."""

    name: str
    type: Any
    default: Any
    rest: bool

    @property
    def required(self) -> bool:
        """Whether the words must give it."""
        return self.default is MISSING

    def usage(self) -> str:
        """As it stands in the usage line: ``<amount>`` or ``[language]``."""
        dots = "…" if self.rest else ""
        return f"<{self.name}{dots}>" if self.required else f"[{self.name}{dots}]"

    def schema(self) -> dict[str, Any]:
        """As JSON Schema, for a model that calls the command as a tool."""
        for python, name in ((bool, "boolean"), (int, "integer"), (float, "number")):
            if self.type is python:
                return {"type": name}
        known = choices(self.type)
        return {"type": "string", "enum": known} if known else {"type": "string"}


class Command(msgspec.Struct, frozen=True):
    """A registered command. ``catalogue`` is that of the package which its function is in."""

    name: str
    aliases: tuple[str, ...]
    plugin: str
    function: Callable[..., Any]
    summary: str
    parameters: tuple[Parameter, ...]
    example: str
    format: Format = "plain"
    cheaper: Callable[..., Any] | None = None
    tool: bool = False
    control: bool = False
    catalogue: Catalogue = CORE

    @classmethod
    def of(
        cls,
        function: Callable[..., Any],
        *,
        plugin: str,
        name: str,
        aliases: Sequence[str] = (),
        example: str = "",
        format: Format = "plain",
        cheaper: Callable[..., Any] | None = None,
        tool: bool = False,
        control: bool = False,
    ) -> Command:
        """Read ``function``. Raises HookError when Telegram or we can't take it."""
        for each in (name, *aliases):
            if not NAME.fullmatch(each):
                raise bad_registration(
                    plugin,
                    f"{each!r} can't be a command's name.",
                    fix="Use 1 to 32 of a-z, 0-9 and _, without the slash.",
                )
        summary = (inspect.getdoc(function) or "").strip().partition("\n")[0]
        if not summary:
            raise bad_registration(
                plugin,
                f"the command /{name} has no docstring.",
                fix="Its first line is what /help shows: write one.",
            )
        check_format(plugin, f"the command /{name}", format)
        parameters = _parameters(function, plugin, name)
        if cheaper is not None:
            taken = [each.name for each in _parameters(cheaper, plugin, name)]
            if taken != [each.name for each in parameters]:
                raise bad_registration(
                    plugin,
                    f"the cheaper way of /{name} takes other arguments than the command.",
                    fix=f"Give it the same: {', '.join(p.name for p in parameters) or 'none'}.",
                )
        return cls(
            name,
            tuple(aliases),
            plugin,
            function,
            summary[:DESCRIPTION_LIMIT],
            parameters,
            example,
            format,
            cheaper,
            tool,
            control,
            catalogue_of(function),
        )

    def said(self, english: str, language: str) -> str:
        """``english``, one of its own texts, for readers of ``language``."""
        return self.catalogue.text(english, language)

    @property
    def usage(self) -> str:
        """``/fx <amount> <from> [to]``"""
        return " ".join([f"/{self.name}", *(p.usage() for p in self.parameters)])

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of its arguments, as tool descriptions want it."""
        return {
            "type": "object",
            "properties": {p.name: p.schema() for p in self.parameters},
            "required": [p.name for p in self.parameters if p.required],
            "additionalProperties": False,
        }

    def parse(self, text: str) -> dict[str, Any]:
        """The words after the command as the function's arguments.

        Raises:
            UsageError: a word is missing, left over, or of the wrong type.
        """
        values: dict[str, Any] = {}
        at = 0
        for index, parameter in enumerate(self.parameters):
            if parameter.rest:
                rest = text[at:].strip()
                at = len(text)
                if rest:
                    values[parameter.name] = rest
                elif parameter.required:
                    raise UsageError("{name} is missing.", name=parameter.name)
                continue
            found = _WORD.match(text, at)
            if found is None:
                if parameter.required:
                    raise UsageError("{name} is missing.", name=parameter.name)
                continue
            word = next(group for group in found.groups() if group is not None)
            try:
                values[parameter.name] = convert(parameter.type, word)
            except ValueError as error:
                if not parameter.required and index + 1 < len(self.parameters):
                    continue
                template, values = expected(parameter.type)
                raise UsageError(template, name=parameter.name, **values) from error
            at = found.end()
        if text[at:].strip():
            raise UsageError("There are more words than the command takes.")
        return values

    def arguments(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What a model gave, a JSON object, as the function's arguments.

        Raises:
            UsageError: one is missing, unknown, or of the wrong type.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in given:
            if name not in known:
                raise UsageError("There is no argument {name}.", name=name[:NAME_SHOWN])
        values: dict[str, Any] = {}
        for name, parameter in known.items():
            value = given.get(name)
            if value is None or value == "":
                if parameter.required:
                    raise UsageError("{name} is missing.", name=name)
                continue
            try:
                values[name] = convert(parameter.type, _word_of(value))
            except ValueError as error:
                template, more = expected(parameter.type)
                raise UsageError(template, name=name, **more) from error
        return values


def _word_of(value: object) -> str:
    """A JSON value as somebody would have typed it. Raises ValueError for what nobody types."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str | int | float):
        return str(value)
    raise ValueError("no word")


def check_format(plugin: str, what: str, format: object) -> None:
    """Refuse a ``format`` that can't be sent; ``what`` is registered with it.

    Raises:
        HookError: it is none of :data:`FORMATS`.
    """
    if format not in FORMATS:
        raise bad_registration(
            plugin,
            f"{what} has the format {format!r}, which can't be sent.",
            fix=f"Use one of {', '.join(FORMATS)}.",
        )


def _parameters(function: Callable[..., Any], plugin: str, name: str) -> tuple[Parameter, ...]:
    try:
        hints = get_type_hints(function)
        declared = list(inspect.signature(function).parameters.values())
    except Exception as error:
        raise bad_registration(
            plugin,
            f"the signature of /{name} can't be read ({type(error).__name__}).",
            fix="Import the types that it names at the module's top.",
        ) from error
    if not declared:
        raise bad_registration(
            plugin,
            f"the function of /{name} takes no argument.",
            fix="Its first argument is the message: async def command(message).",
        )
    result = []
    for index, parameter in enumerate(declared[1:], start=2):
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise bad_registration(
                plugin,
                f"/{name} takes *{parameter.name}, which can't be parsed.",
                fix="A last parameter of type str takes the rest of the text.",
            )
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise bad_registration(
                plugin,
                f"/{name} takes {parameter.name} by position only, but words are given by name.",
                fix="Put the / directly behind the first argument, or leave it out.",
            )
        kind = plain(hints.get(parameter.name, str))
        if not parseable(kind):
            raise bad_registration(
                plugin,
                f"/{name} takes {parameter.name} as {written(kind)}, which can't be parsed.",
                fix=f"Annotate it with {ALLOWED}.",
            )
        result.append(
            Parameter(
                parameter.name, kind, parameter.default, kind is str and index == len(declared)
            )
        )
    return tuple(result)
