"""What the owner may do, /stop with work under way, and the look-ups as tools of a model."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from clawdbot_commands import Commands
from clawdcore import Context, Message, hookimpl
from clawdcore.testing import ADA, Harness, User

OWNER = User(7, "Lin")


class Others:
    """Answers texts after half a minute, and lists the tools."""

    @hookimpl
    def register_handlers(self, register: Any) -> None:
        @register("text")
        async def slow(message: Message) -> str:
            await asyncio.sleep(30)
            return "done"

    @hookimpl
    def register_commands(self, register: Any, context: Context) -> None:
        @register("tools")
        async def tools(message: Message) -> str:
            """List the tools"""
            return " ".join(tool.name for tool in context.tools.all())


@pytest.fixture
def owned() -> Any:
    config = {"channels": {"telegram": {"owner": OWNER.id}}}
    with Harness([Commands(), Others()], config=config) as bot:
        yield bot


def test_while_it_rests_it_says_so_until_the_owner_lets_it_work(owned: Harness) -> None:
    owned.say("/pause", sender=OWNER)
    said = owned.say("hello", sender=ADA)
    assert said and "done" not in said
    assert "resting" in owned.say("/status", sender=OWNER)
    owned.say("/resume", sender=OWNER)
    assert owned.say("hello", sender=ADA) == "done"
    assert "I am working." in owned.say("/status")


def test_stop_ends_what_its_sender_has_running_and_nobody_elses(owned: Harness) -> None:
    owned.send("mine", sender=ADA)
    owned.send("theirs", sender=OWNER)
    owned.advance(1)
    said = owned.say("/stop", sender=ADA)
    assert "nothing" not in said
    owned.advance(60)
    assert [sent.chat for sent in owned.sent if sent.text == "done"] == [OWNER.id]


def test_the_look_ups_are_tools(owned: Harness) -> None:
    assert set(owned.say("/tools").split()) == {"weather", "fx", "wiki"}
