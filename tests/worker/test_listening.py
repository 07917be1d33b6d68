"""A plugin that hears what is said in a group to nobody."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from clawdcore import PASS, Context, Message, Scope, hookimpl
from clawdcore.broker import Remembered
from clawdcore.hooks.storage import SettingsStore
from clawdcore.testing import Group, Harness
from clawdcore.worker.listening import Listening
from clawdcore.worker.memory import Memories

GROUP, OTHER = Group(-1007), Group(-1008)


class Ears:
    """Hears a group on command; answers what is said to it, and what is not, differently."""

    @hookimpl
    def register_commands(self, register: Any, context: Context) -> None:
        @register("hear")
        async def hear(message: Message, on: bool) -> str:
            """Hear this group"""
            await context.chats.hear(message.chat.id, on)
            return f"hearing: {context.chats.hears(message.chat.id)}"

        @register("forget")
        async def forget(message: Message) -> str:
            """Forget this chat"""
            held = await context.control.forget(Scope(kind="chat", id=message.chat.id))
            return ", ".join(f"{each.plugin}: {each.words}" for each in held)

    @hookimpl
    def register_handlers(self, register: Any) -> None:
        @register("text")
        async def said(message: Message) -> str:
            return f"ears: {message.body}"


class Model:
    """Answers all that is said to the bot."""

    @hookimpl
    def register_handlers(self, register: Any) -> None:
        @register("text")
        async def answer(message: Message) -> str:
            return f"model: {message.body}"


class Overhears:
    """Has a handler of its own for what is said to others, which passes on one word."""

    @hookimpl
    def register_handlers(self, register: Any, context: Context) -> None:
        self.context = context

        @register("text", addressed=False)
        async def overhear(message: Message) -> Any:
            return PASS if message.body == "pass" else f"overheard: {message.body}"


def test_only_the_plugin_that_hears_a_group_answers_what_is_said_to_nobody() -> None:
    with Harness([Model(), Ears()]) as bot:
        assert bot.say("hello", chat=GROUP) == ""
        assert bot.say("/hear@clawd_bot on", chat=GROUP) == "hearing: True"
        assert bot.say("hello", chat=GROUP) == "ears: hello"
        assert bot.say("hello", chat=OTHER) == ""
        assert bot.say("@clawd_bot hello", chat=GROUP) == "model: hello"
        assert bot.say("/nonsense", chat=GROUP) == ""
        assert bot.say("/hear@clawd_bot off", chat=GROUP) == "hearing: False"
        assert bot.say("hello", chat=GROUP) == ""


def test_without_require_mention_the_handlers_for_other_peoples_words_are_asked_too() -> None:
    overhears = Overhears()
    groups = {"channels": {"telegram": {"groups": {"*": {"requireMention": False}}}}}
    with Harness([Model(), overhears], config=groups) as bot:
        assert bot.say("hello", chat=GROUP) == "model: hello"
        bot._run(overhears.context.chats.hear(GROUP.id, True))
        assert bot.say("hello", chat=GROUP) == "overheard: hello"
        assert bot.say("pass", chat=GROUP) == "model: pass"
        assert bot.say("@clawd_bot hello", chat=GROUP) == "model: hello"


def test_what_goes_wrong_with_what_nobody_asked_is_said_to_nobody() -> None:
    class Breaks:
        @hookimpl
        def register_handlers(self, register: Any, context: Context) -> None:
            self.context = context

            @register("text")
            async def broken(message: Message) -> str:
                raise RuntimeError

    breaks = Breaks()
    with Harness([breaks]) as bot:
        bot._run(breaks.context.chats.hear(GROUP.id, True))
        assert bot.say("hello", chat=GROUP) == ""
        assert bot.say("@clawd_bot hello", chat=GROUP) != ""


def test_forgetting_the_chat_ends_it() -> None:
    with Harness([Ears()]) as bot:
        bot.say("/hear@clawd_bot on", chat=GROUP)
        assert bot.say("/forget@clawd_bot", chat=GROUP) == "core: settings (1)"
        assert bot.say("hello", chat=GROUP) == ""
        assert "nothing" in bot.say("/forget@clawd_bot", chat=GROUP)


def test_it_is_kept_over_restarts_and_reaches_the_next_worker(tmp_path: Path) -> None:
    async def scene() -> None:
        file = tmp_path / "settings.db"
        memories = Memories()
        first = Listening(SettingsStore(file), memories.of("core"))
        await first.set("ears", -5, on=True)
        await first.set("other", -5, on=True)
        await first.set("other", -5, on=False)
        await first._store.close()

        store = SettingsStore(file)
        again = Memories()
        second = Listening(store, again.of("core"))
        await second.load()
        assert second.of(-5) == {"ears"}
        assert second.of(-6) == frozenset()
        # What the first one changes while it hands over.
        again.take(Remembered("core", "hears:ears:-5", b"\xc2"))
        second.changed("hears:ears:-5")
        assert second.of(-5) == frozenset()
        await store.close()

    asyncio.run(scene())
