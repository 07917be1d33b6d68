"""The commands that the bot has without any plugin: ``/start`` and ``/help``."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..hooks.command import Command
from ..messages import Message
from ..texts import translator
from .owner import Owner

CORE = "core"
"""The name under which the core's own commands and settings are kept."""


def builtin_commands(owner: Owner, commands: Callable[[], Iterable[Command]]) -> list[Command]:
    """``/start`` and ``/help``; ``commands()`` lists all that are registered."""

    async def start(message: Message, code: str = "") -> str:
        """Say hello"""
        _ = translator(message.sender.language)
        if code and message.chat.kind == "private" and await owner.claim(message.sender.id, code):
            return _("You are my owner now. I'll tell you when something needs your attention.")
        return _("Hello {name}! Write to me and I'll answer; /help lists what I can do.").format(
            name=message.sender.name
        )

    async def help(message: Message, command: str = "") -> str:  # noqa: A001
        """List the commands"""
        language = message.sender.language
        _ = translator(language)
        known = unique(commands())
        for each in known:
            if command.lstrip("/").lower() in (each.name, *each.aliases):
                lines = [
                    each.said(each.summary, language),
                    _("Usage: {usage}").format(usage=each.usage),
                ]
                if each.example:
                    lines.append(_("Example: {example}").format(example=each.example))
                return "\n".join(lines)
        return "\n".join(f"/{each.name} – {each.said(each.summary, language)}" for each in known)

    return [
        Command.of(start, plugin=CORE, name="start"),
        Command.of(help, plugin=CORE, name="help", example="/help translate"),
    ]


def unique(commands: Iterable[Command]) -> list[Command]:
    """Each command once, though it stands under its aliases too."""
    return list({command.name: command for command in commands}.values())
