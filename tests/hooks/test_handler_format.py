"""The format of what a handler or a command writes."""

from __future__ import annotations

from typing import Any

import pytest

from clawdcore.errors import HookError
from clawdcore.hooks.registration import Registry


async def answer(message: Any) -> str:
    """Answer"""
    return ""


def test_a_handler_and_a_command_keep_their_format() -> None:
    registry = Registry("p")
    registry.handler("text")(answer)
    registry.handler("text", format="markdown")(answer)
    registry.command("one")(answer)
    registry.command("two", format="html")(answer)
    assert [handler.format for handler in registry.handlers] == ["plain", "markdown"]
    assert [command.format for command in registry.commands] == ["plain", "html"]


def test_a_format_that_cannot_be_sent_is_refused() -> None:
    with pytest.raises(HookError, match="format 'md'"):
        Registry("p").handler("text", format="md")  # type: ignore[arg-type]
