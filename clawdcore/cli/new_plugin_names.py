"""What a new plugin may be called, and what else is called after it. No IO here."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Final

from ..errors import ClawdBotError
from ..hooks.errors import OWN_BACKENDS, OWN_PLUGINS, RESERVED_COMMANDS, RESERVED_PLUGINS

PREFIX: Final = "clawdbot-"
LONGEST: Final = 32
"""Characters; Telegram's limit of a command's name, which is made from it."""
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_TAKEN: Final = {
    **dict.fromkeys(OWN_PLUGINS, "a plugin of ClawdBot's own"),
    **dict.fromkeys(OWN_BACKENDS, "a backend of ClawdBot's own"),
    **dict.fromkeys(RESERVED_PLUGINS, "a part of the bot itself"),
    **dict.fromkeys(RESERVED_COMMANDS, "a command of the bot itself"),
}


def checked(given: str, installed: Container[str]) -> str:
    """The plugin's name for what was given: ``clawdbot-weather`` means ``weather``.

    ``installed`` holds the names of plugins and backends that are here.

    Raises:
        ClawdBotError: it can't be a name, or is taken.
    """
    name = given.removeprefix(PREFIX)
    if not _NAME.fullmatch(name) or len(name) > LONGEST:
        raise ClawdBotError(
            f"{given[: 2 * LONGEST]!r} can't be the name of a plugin.",
            fix=f"Use at most {LONGEST} of a-z, 0-9 and single dashes, a letter first"
            f"{_instead(name)}.",
        )
    if name in _TAKEN:
        raise ClawdBotError(f"{name!r} is {_TAKEN[name]}.", fix="Choose another name.")
    if name in installed:
        raise ClawdBotError(
            f"a plugin {name!r} is installed here.",
            fix=f"Choose another name, or remove it: pip uninstall {PREFIX}{name}",
        )
    return name


def _instead(name: str) -> str:
    """The nearest name that would do, as the end of a sentence; "" for none."""
    near = re.sub(r"[^a-z0-9]+", "-", name.lower()).lstrip("-0123456789")[:LONGEST].strip("-")
    return f": {near}" if near and near not in _TAKEN else ""


def module(name: str) -> str:
    """The module that a plugin of that name is imported as."""
    return f"clawdbot_{name.replace('-', '_')}"


def one_line(what: str, text: str, longest: int) -> str:
    """``text`` without spaces around it.

    Raises:
        ClawdBotError: it is empty, or can't stand in one line of ``longest`` characters.
    """
    text = text.strip()
    if not text or len(text) > longest or not text.isprintable():
        raise ClawdBotError(
            f"{what} must be one line of 1 to {longest} characters.", fix="Write it in one line."
        )
    return text
