"""Commands that look after the bot: ahead of everything, and what they can do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from clawdcore import Context, Held, Message, Scope, Status, hookimpl
from clawdcore.broker import Remembered
from clawdcore.testing import ADA, Group, Harness, User

GROUP = Group(-1007)
LIN = User(7, "Lin")
OWNED = {"channels": {"telegram": {"owner": LIN.id}}}


class Keeper:
    """Has commands of the control lane."""

    def __init__(self) -> None:
        self.stopped: list[int] = []

    @hookimpl
    def register_commands(self, register: Any, context: Context) -> None:
        self.control = context.control

        @register("stop", control=True)
        async def stop(message: Message) -> str:
            """Stop"""
            self.stopped.append(await context.control.stop(message))
            return "stopped"

        @register("pause", control=True)
        async def pause(message: Message) -> str:
            """Pause"""
            await context.control.pause()
            return "paused"

        @register("resume", control=True)
        async def resume(message: Message) -> str:
            """Resume"""
            await context.control.resume()
            return "resumed"

        @register("drain", control=True)
        async def drain(message: Message) -> str:
            """End"""
            await context.control.drain()
            return "ending"


class Slow:
    """Works for half a minute on whatever comes."""

    @hookimpl
    def register_handlers(self, register: Any) -> None:
        @register("text", serial=lambda message: message.session)
        async def slow(message: Message) -> str:
            await asyncio.sleep(30)
            return f"done: {message.body}"


class Stubborn:
    """Does not mind being cancelled."""

    @hookimpl
    def register_handlers(self, register: Any) -> None:
        @register("text")
        async def slow(message: Message) -> str:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                await asyncio.sleep(0.1)
            return "done all the same"


def status_of(bot: Harness, keeper: Keeper) -> Status:
    async def ask() -> Status:
        return keeper.control.status()

    return bot._run(ask())


def test_stop_ends_what_its_sender_has_in_the_chat_and_nothing_else() -> None:
    keeper = Keeper()
    with Harness([keeper, Slow()]) as bot:
        bot.send("one", "two", "three")
        bot.send("@clawd_bot mine", chat=GROUP)
        bot.send("yours", sender=LIN)
        assert bot.say("/stop") == "stopped"
        assert keeper.stopped == [3]
        assert sorted(sent.text for sent in bot.sent) == ["done: mine", "done: yours", "stopped"]
        assert bot.books.noticed == 3
        assert bot.books.open == 0


def test_stop_is_answered_before_what_it_stops_would_be() -> None:
    keeper = Keeper()
    with Harness([keeper, Slow()]) as bot:
        bot.send("one")
        bot.send("/stop")
        bot.advance(1)
        assert [sent.text for sent in bot.sent] == ["stopped"]


def test_nothing_to_stop_is_none() -> None:
    keeper = Keeper()
    with Harness([keeper]) as bot:
        bot.say("/stop")
    assert keeper.stopped == [0]


def test_who_ignores_being_stopped_is_not_heard() -> None:
    with Harness([Keeper(), Stubborn()]) as bot:
        bot.send("one")
        bot.say("/stop")
        assert [sent.text for sent in bot.sent] == ["stopped"]
        assert bot.books.open == 0


def test_the_control_lane_needs_no_seat() -> None:
    config = {"agents": {"defaults": {"maxConcurrent": 1}}}
    with Harness([Keeper(), Slow()], config=config) as bot:
        bot.send("one")
        bot.send("two", sender=LIN)
        bot.send("/stop")
        bot.advance(1)
        assert [sent.text for sent in bot.sent] == ["stopped"]


def test_a_model_that_writes_is_stopped_too() -> None:
    class Model:
        @hookimpl
        def register_handlers(self, register: Any, context: Context) -> None:
            from clawdcore import Request, Turn

            @register("text")
            async def answer(message: Message) -> AsyncIterator[str]:
                request = Request(turns=(Turn("user", message.body),))
                async for chunk in context.models.generate(request):
                    yield chunk.text

    with Harness([Keeper(), Model()]) as bot:
        bot.backend.delay = 10
        bot.send("one two three four")
        bot.advance(15)
        bot.say("/stop")
        assert bot.backend.cancelled == 1
        assert bot.books.open == 0


def test_while_it_rests_only_the_owner_is_answered_and_commands_of_the_control_lane() -> None:
    with Harness([Keeper(), Slow()], config=OWNED) as bot:
        assert bot.say("/pause") == "paused"
        assert bot.say("hello") == "I'm taking a break. Please try again later."
        assert bot.say("hello", sender=User(9, "Li", language="zh")) == "我正在休息，请稍后再试。"
        assert bot.say("hello", chat=GROUP) == ""
        assert bot.say("hello", sender=LIN) == "done: hello"
        assert bot.say("/help").startswith("/")
        assert bot.say("/resume") == "resumed"
        assert bot.say("hello") == "done: hello"


def test_status_counts_what_is_under_way() -> None:
    keeper = Keeper()
    with Harness([keeper, Slow()], config=OWNED) as bot:
        bot.advance(100)
        assert status_of(bot, keeper) == Status(
            models=((bot.config.agents.defaults.model.primary, True),), uptime=100.0
        )
        bot.send("one")
        bot.send("two", sender=LIN)
        assert status_of(bot, keeper).running == 2
        bot.say("/pause")
        status = status_of(bot, keeper)
        assert (status.running, status.paused) == (0, True)
        assert keeper.control.owner(LIN.id)
        assert not keeper.control.owner(ADA.id)


def test_without_an_owner_nobody_is() -> None:
    keeper = Keeper()
    with Harness([keeper]):
        assert not keeper.control.owner(0)


def test_status_names_who_rests() -> None:
    class Breaks:
        @hookimpl
        def register_handlers(self, register: Any) -> None:
            @register("text")
            async def broken(message: Message) -> str:
                raise RuntimeError

    keeper = Keeper()
    with Harness([keeper, Breaks()]) as bot:
        for _ in range(5):
            bot.say("hello")
        ((name, seconds),) = status_of(bot, keeper).plugins
        assert name == "breaks"
        assert 0 < seconds <= 60


def test_drain_ends_the_bot_once_all_is_answered() -> None:
    with Harness([Keeper(), Slow()]) as bot:
        bot.send("one")
        bot.send("/drain", sender=LIN)
        running = bot._running
        assert running is not None
        bot.loop.run_until_complete(asyncio.wait({running}))
        assert [sent.text for sent in bot.sent] == ["ending", "done: one"]
        assert bot.books.open == 0


class Remembers:
    """Holds something of everybody."""

    @hookimpl
    def forget(self, scope: Scope, language: str) -> str | None:
        return f"{scope.kind} {scope.id} {language}" if scope.kind == "user" else None

    @hookimpl
    async def privacy_notes(self, language: str) -> str:
        return f"All of it, in {language}."


class FailsToForget:
    """Raises in every hook."""

    @hookimpl
    def forget(self, scope: Scope) -> str:
        raise RuntimeError

    @hookimpl
    def privacy_notes(self, language: str) -> str:
        raise RuntimeError


class Silent:
    """Holds nothing, tells nobody."""

    @hookimpl
    def forget(self, scope: Scope) -> None:
        return None

    @hookimpl
    def privacy_notes(self) -> None:
        return None


@pytest.mark.parametrize("kind", ["user", "chat"])
def test_forget_asks_all_and_erases_settings(kind: Any) -> None:
    class Asks:
        @hookimpl
        def register_commands(self, register: Any, context: Context) -> None:
            @register("forget", control=True)
            async def forget(message: Message) -> str:
                """Forget"""
                await context.storage.set("city", "x", user=message.sender.id)
                self.held = await context.control.forget(Scope(kind=kind, id=message.sender.id))
                self.left = await context.storage.get("city", user=message.sender.id)
                return "forgotten"

    asks = Asks()
    with Harness([asks, Remembers(), FailsToForget(), Silent()]) as bot:
        assert bot.say("/forget") == "forgotten"
    failed = Held("failstoforget", "an error: ask again, or ask my owner.")
    if kind == "user":
        held = Held("remembers", f"user {ADA.id} {ADA.language}")
        assert asks.held == (held, failed, Held("core", "settings (1)"))
        assert asks.left is None
    else:
        assert asks.held == (failed,)
        assert asks.left == "x"


def test_privacy_lists_what_plugins_say() -> None:
    keeper = Keeper()
    with Harness([keeper, Silent(), FailsToForget(), Remembers()]) as bot:
        notes = bot._run(keeper.control.privacy("zh"))
    assert notes == (Held("remembers", "All of it, in zh."),)


def test_the_next_worker_rests_on() -> None:
    with Harness([Slow()]) as bot:
        bot.worker.remember(Remembered("core", "paused", b"\xc3"))
        assert "taking a break" in bot.say("hello")
        bot.worker.remember(Remembered("core", "paused", b""))
        assert bot.say("hello") == "done: hello"


def test_the_next_start_rests_on_until_it_is_told_to_work() -> None:
    async def rests(bot: Harness) -> bool:
        """Whether the bot would, had it started anew."""
        bot.worker.control.paused = False
        await bot.worker.control.load()
        return bot.worker.control.paused

    with Harness([Keeper(), Slow()], config=OWNED) as bot:
        assert bot._run(rests(bot)) is False
        assert bot.say("/pause", sender=LIN) == "paused"
        assert bot._run(rests(bot)) is True
        assert "taking a break" in bot.say("hello")
        assert bot.say("/resume", sender=LIN) == "resumed"
        assert bot._run(rests(bot)) is False
