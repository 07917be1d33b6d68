"""What plugins say that they need, and what follows from it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdcore import Message, Needs, PluginError, hookimpl
from clawdcore.hooks.needs import checked
from clawdcore.testing import Group, Harness

LABEL = st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True)


@given(st.lists(LABEL, min_size=2, max_size=4), LABEL)
def test_a_star_stands_for_what_is_below_and_nothing_else(labels: list[str], other: str) -> None:
    host = ".".join(labels)
    below = Needs(hosts=(f"*.{host}",))
    assert below.allows(f"{other}.{host}")
    assert not below.allows(host)
    assert not below.allows(f"{other}{host}")
    assert not below.allows(f"{host}.{other}x.example")
    exact = Needs(hosts=(host,))
    assert exact.allows(host)
    assert not exact.allows(f"{other}.{host}")
    assert not Needs().allows(host)


@pytest.mark.parametrize(
    "hosts",
    ["api.example.org", ("https://api.example.org",), ("API.example.org",), ("*",), ("a/b",), (3,)],
)
def test_what_is_no_host_is_said_at_load(hosts: Any) -> None:
    with pytest.raises(PluginError, match="without scheme"):
        checked("rates", Needs(hosts=hosts))


@pytest.mark.parametrize("given", ["api.example.org", {"hosts": []}, 3])
def test_what_is_no_needs_is_said_at_load(given: object) -> None:
    with pytest.raises(PluginError, match=r"Return clawdcore\.Needs"):
        checked("rates", given)


class Private:
    @hookimpl
    def needs(self) -> Needs:
        return Needs(chats="private")

    @hookimpl
    def register_commands(self, register: Any) -> None:
        @register("diary")
        async def diary(message: Message) -> str:
            """Write"""
            return "written"

    @hookimpl
    def register_handlers(self, register: Any) -> None:
        @register("text")
        async def text(message: Message) -> str:
            return "private answer"


class Groups:
    @hookimpl
    def needs(self) -> Needs:
        return Needs(chats="groups")

    @hookimpl
    def register_commands(self, register: Any) -> None:
        @register("vote")
        async def vote(message: Message) -> str:
            """Vote"""
            return "voted"

    @hookimpl
    def register_handlers(self, register: Any) -> None:
        @register("text")
        async def text(message: Message) -> str:
            return "group answer"


def test_a_plugin_gets_messages_of_its_chats_only() -> None:
    with Harness([Private(), Groups()]) as bot:
        assert bot.say("/diary") == "written"
        assert bot.say("/diary@clawd_bot", chat=Group()) == (
            "/diary works in private only: write to me there."
        )
        assert bot.say("/vote@clawd_bot", chat=Group()) == "voted"
        assert bot.say("/vote") == "/vote works in groups only."
        assert bot.say("hello") == "private answer"
        assert bot.say("@clawd_bot hello", chat=Group()) == "group answer"


class Options:
    @hookimpl
    def needs(self) -> Needs:
        raise OSError("what")


def test_a_hook_that_fails_disables_its_plugin_and_no_other() -> None:
    with Harness([Options(), Groups()]) as bot:
        assert set(bot.report.disabled) == {"options"}
        assert "needs failed" in str(bot.report.disabled["options"])
        assert bot.say("/vote@clawd_bot", chat=Group()) == "voted"
