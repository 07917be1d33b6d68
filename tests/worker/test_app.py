"""The worker as a whole: its end, and what the owner hears."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Mapping
from typing import Any

from clawdcore import Context, Message, Receipt, Reply, hookimpl
from clawdcore.backend import Backend
from clawdcore.broker import (
    Bot,
    Deliver,
    Done,
    Hello,
    Outcome,
    Port,
    Send,
    Tell,
    ToEdge,
    ToWorker,
    memory_broker,
)
from clawdcore.config import parse
from clawdcore.testing import FakeBackend, Harness, VirtualLoop
from clawdcore.worker.app import Worker
from clawdcore.worker.owner import SAME_PAUSE

NOBODY = b'{"update_id":1}'


def run(story: Coroutine[Any, Any, None]) -> None:
    loop = VirtualLoop()
    try:
        loop.run_until_complete(story)
    finally:
        loop.close()


def worker(
    config: Mapping[str, Any] | None = None,
    *,
    plugins: Mapping[str, object] | None = None,
    backend: Backend | None = None,
) -> tuple[Port[ToWorker, ToEdge], Worker]:
    targets = dict(plugins or {})
    settings = parse(json.dumps({"plugins": list(targets), **(config or {})}), env={})
    edge, port = memory_broker()
    name = settings.agents.defaults.model.primary.partition("/")[0]
    made = Worker(settings, port, backends={name: backend or FakeBackend()}, targets=targets)
    return edge, made


def test_the_edge_may_close_with_an_update_for_nobody_under_way() -> None:
    async def story() -> None:
        edge, made = worker()
        await made.start()
        await edge.send(Hello(Bot(1, "b")))
        running = asyncio.create_task(made.run())
        await asyncio.sleep(1)
        await edge.send(Deliver(1, NOBODY))
        edge.close()
        await running
        await made.close()

    run(story())


def test_the_edge_may_be_gone_before_the_first_record() -> None:
    async def story() -> None:
        edge, made = worker()
        await made.start()
        edge.close()
        await made.run()
        await made.close()

    run(story())


def test_the_edge_may_close_while_the_owner_is_told() -> None:
    async def story() -> None:
        edge, made = worker({"channels": {"telegram": {"owner": 5}}})
        await made.start()
        await edge.send(Hello(Bot(1, "b")))
        running = asyncio.create_task(made.run())
        await asyncio.sleep(1)
        await edge.send(Tell("started"))
        edge.close()
        await running
        await made.close()

    run(story())


def test_what_the_owner_is_told_is_a_notice() -> None:
    async def story() -> None:
        edge, made = worker({"channels": {"telegram": {"owner": 5}}})
        await made.start()
        await edge.send(Hello(Bot(1, "b")))
        running = asyncio.create_task(made.run())
        await edge.send(Tell("started"))
        while not isinstance(record := await edge.receive(), Send):
            continue
        assert record.notice
        await edge.send(Deliver(7, NOBODY))
        assert await edge.receive() == Done(7, Outcome.UNADDRESSED)
        edge.close()
        await running
        await made.close()

    run(story())


class Closing(FakeBackend):
    """Knows whether it was closed."""

    closed = False

    async def close(self) -> None:
        self.closed = True
        await super().close()


class Clinging:
    """Won't be shut down."""

    @hookimpl
    async def shutdown(self, context: Context) -> None:
        raise asyncio.CancelledError


def test_backends_and_settings_are_closed_whatever_a_shutdown_does() -> None:
    async def story() -> None:
        backend = Closing()
        _, made = worker(plugins={"clinging": Clinging()}, backend=backend)
        await made.start()
        await made.close()
        assert backend.closed

    run(story())


class Leaving:
    """Every hook tries to end the bot."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    @hookimpl
    def register_commands(self, register: Any) -> None:
        @register("hi")
        async def hi(message: Message) -> str:
            """Say hi"""
            return "hi"

    @hookimpl
    async def prepare_reply(self, reply: Reply) -> Reply:
        raise self._error

    @hookimpl
    async def reply_delivered(self, receipt: Receipt) -> None:
        raise self._error

    @hookimpl
    async def shutdown(self) -> None:
        raise self._error


def test_no_hook_ends_the_bot() -> None:
    for error in (SystemExit(3), KeyboardInterrupt(), GeneratorExit(), asyncio.CancelledError()):
        with Harness([Leaving(error)]) as bot:
            assert bot.say("/hi") == "hi"
            assert bot.say("/hi") == "hi"
            assert bot.books.open == 0


def test_a_startup_that_would_end_the_bot_disables_its_plugin() -> None:
    class Exits:
        @hookimpl
        async def startup(self, context: Context) -> None:
            raise SystemExit(3)

    async def story() -> None:
        _, made = worker(plugins={"exits": Exits()})
        report = await made.start()
        assert list(report.disabled) == ["exits"]
        await made.close()

    run(story())


def test_trouble_that_comes_back_in_the_pause_is_told_after_it() -> None:
    with Harness([], config={"channels": {"telegram": {"owner": 900}}}) as bot:

        def tell(*kinds: str) -> None:
            for kind in kinds:
                bot.worker._tell(kind, "m")

        bot.loop.call_soon(tell, "degraded", "recovered", "degraded")
        bot.advance(SAME_PAUSE - 1)
        assert len(bot.sent) == 2
        bot.advance(2)
        assert [sent.text.partition(":")[0] for sent in bot.sent] == [
            "Degraded",
            "Recovered",
            "Degraded",
        ]


def test_trouble_that_is_over_before_the_pause_is_not_told() -> None:
    with Harness([], config={"channels": {"telegram": {"owner": 900}}}) as bot:

        def tell(*kinds: str) -> None:
            for kind in kinds:
                bot.worker._tell(kind, "m")

        bot.loop.call_soon(tell, "degraded", "recovered", "degraded", "recovered")
        bot.advance(2 * SAME_PAUSE)
        assert len(bot.sent) == 2
