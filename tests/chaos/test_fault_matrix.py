"""Every Bot API method that the bot uses × every fault: books balance and the bot lives.

Edge and worker run in this process, over HTTP against the local server. All
methods of one fault run at once, each with a bot and a server of its own.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, get_args

import pytest
from chaos_parts.books import Asked, Balance, Books
from chaos_parts.server import CountingServer

from clawdcore import Message, Reply, hookimpl
from clawdcore.broker import memory_broker
from clawdcore.config import parse
from clawdcore.edge.app import Edge
from clawdcore.edge.telegram import TelegramApi
from clawdcore.edge.workers import OneWorker
from clawdcore.errors import ChannelError
from clawdcore.testing import FakeBackend
from clawdcore.testing.botapi import FaultKind
from clawdcore.testing.botapi.updates import PollRules
from clawdcore.worker.app import Worker

pytestmark = pytest.mark.real

TOKEN: Final = "1:TEST"
FAST: Final = {"perSecond": 1000, "perChat": 1000, "groupPerMinute": 60_000}
TIMES: Final = 2
"""How many calls in a row meet the fault."""
SLOW: Final = 0.5
METHODS: Final = (
    "getMe",
    "getUpdates",
    "sendMessage",
    "sendMessageDraft",
    "editMessageText",
    "editMessageReplyMarkup",
    "deleteMessage",
    "sendChatAction",
    "setMessageReaction",
    "setMyCommands",
    "getFile",
    "download",
    "setWebhook",
    "deleteWebhook",
)
STARTING: Final = ("getMe", "setWebhook")
"""Methods whose refusal may end a start."""
UNKNOWN: Final = ("drop_after", "garbage")
"""Faults after which nobody can be sure whether the call took effect."""


class Plugin:
    """Makes the bot use every method: it streams, reads files, and burns what it wrote."""

    @hookimpl
    def register_commands(self, register: Any) -> None:
        @register("echo")
        async def echo(message: Message, words: str) -> str:
            """Say it back"""
            token, *more = words.split()
            return " ".join([f"[{token}]", *more])

        @register("stream")
        async def stream(message: Message, words: str) -> AsyncIterator[str]:
            """Say it back slowly"""
            yield f"({words}) begun "
            for _ in range(3):
                await asyncio.sleep(0.7)
                yield "and on "
            yield f"[{words}]"

        @register("burn")
        async def burn(message: Message, words: str) -> Reply:
            """Say it back for a moment"""
            return Reply(text=f"[{words}]", delete_after=1.0)

    @hookimpl
    def register_handlers(self, register: Any) -> None:
        @register("photo")
        async def photo(message: Message) -> str:
            size = len(await message.attachments[0].read())
            return f"[{message.body.split()[-1]}] {size} bytes"


class Case:
    """One bot whose calls of one method meet one fault."""

    def __init__(self, server: CountingServer, method: str, fault: FaultKind, folder: Path) -> None:
        self.server = server
        self.method = method
        self.fault = fault
        self.books = Books()
        self._folder = folder
        self._count = 0

    async def play(self) -> Balance:
        """Have the bot start, work and stop; the balance of the books.

        A start may be refused; it then says why in one line, and the next one succeeds.
        """
        self.server.fail(self.fault, self.method, times=TIMES, seconds=SLOW, retry_after=1)
        for _ in range(TIMES):
            try:
                return await self._day()
            except (ChannelError, ExceptionGroup) as error:
                refusals = leaves(error)
                if self.books.asked or self.method not in STARTING:
                    raise
                if not all(isinstance(e, ChannelError) and "\n" not in str(e) for e in refusals):
                    raise
        return await self._day()

    async def _day(self) -> Balance:
        server = self.server
        ada, bob = server.user(7, "Ada"), server.user(8, "Bob")
        group = server.group(-1000000000005, "News", [ada, bob])
        async with self._bot() as edge:
            if self.method == "editMessageReplyMarkup":
                # It is only called to find out what became of a message, once another one
                # of this run has shown where the ids are.
                self._say(ada, "/echo {}")
                await server.wait(self._settled, 30.0)
                server.fail("drop_after", "sendMessage", times=2)
            for person in (ada, bob):
                self._say(person, "/echo {}")
                self._say(person, "/stream {}")
                self._say(person, "/burn {}")
                self._say(person, "/echo@clawd_bot {}", group)
                self._say(person, "just chatting {}", group, addressed=False)
                self._note(server.photo(person, b"\x89PNG", caption=self._token()))
            await server.wait(self._settled, 50.0)
            # Edits need a group in which nothing waits.
            self._say(ada, "/stream@clawd_bot {}", group)
            await server.wait(self._settled, 30.0)
            first = server.messages(ada.id)[0]
            server.edit(first, f"{first['text']} indeed")
            await server.wait(lambda: self._edited(first), 30.0)
            await server.wait(lambda: len(server.deleted) == 2, 30.0)
            self._say(ada, "/echo {}")  # it still lives
            await server.wait(self._settled, 20.0)
            edge.stop()
        assert edge.books.open == 0
        self._settled()
        return self.books.balance()

    def _settled(self) -> bool:
        self.books.read(self.server.records(self.books.last))
        return self.books.open == 0

    def _edited(self, asked: Any) -> bool:
        """Whether an answer knows the words that were added."""
        shown = [*self.server.edits, *self.server.sent]
        return any(r.chat_id == asked["chat"]["id"] and " indeed" in r.text for r in shown)

    def _token(self) -> str:
        self._count += 1
        return f"k{self._count:012}"

    def _say(self, person: Any, text: str, group: Any = None, *, addressed: bool = True) -> None:
        message = self.server.say(person, text.format(self._token()), group)
        self._note(message, addressed=addressed)

    def _note(self, message: Any, *, addressed: bool = True) -> None:
        token = f"k{self._count:012}"
        chat, user = message["chat"]["id"], message["from"]["id"]
        self.books.ask(Asked(token, chat, user, message["message_id"], addressed, "x"))

    @asynccontextmanager
    async def _bot(self) -> AsyncIterator[Edge]:
        telegram: dict[str, Any] = {"apiRoot": self.server.root, "pace": FAST}
        if self.method == "setWebhook":
            port = free_port()
            url = f"http://127.0.0.1:{port}/hook"
            telegram["webhook"] = {"url": url, "path": "/hook", "port": port, "secret": "s" * 20}
        content = {"channels": {"telegram": telegram}, "plugins": ["plugin"]}
        config = parse(json.dumps(content), env={})
        api = TelegramApi(TOKEN, self.server.root)
        try:
            me = await api.open()
            edge_port, worker_port = memory_broker()
            edge = Edge(
                config.channels.telegram, OneWorker(edge_port), api,
                ledger=self._folder / self.method / "ledger.db",
            )  # fmt: skip
            worker = Worker(
                config, worker_port, backends={"llamacpp": FakeBackend()},
                targets={"plugin": Plugin()},
            )  # fmt: skip
            await worker.start()
            async with asyncio.TaskGroup() as tasks:
                serving = tasks.create_task(edge.run(me))
                tasks.create_task(worker.run())
                await asyncio.wait({edge.listening, serving}, return_when="FIRST_COMPLETED")
                if serving.done() or edge.listening.cancelled():
                    await serving
                yield edge
            await worker.close()
        finally:
            await api.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def play(method: str, fault: FaultKind, folder: Path) -> list[str]:
    """What went wrong."""
    rules = PollRules(single_interval=0, short_interval=0)
    async with CountingServer(TOKEN, poll_rules=rules) as server:
        case = Case(server, method, fault, folder)
        try:
            async with asyncio.timeout(90):
                balance = await case.play()
        except (TimeoutError, AssertionError, ExceptionGroup, ChannelError) as error:
            return [f"{method}: {leaf!r}" for leaf in leaves(error)]
        used = "getFile" if method == "download" else method
        problems = {
            "was never called": not server.calls[used],
            "messages were lost": len(balance.lost),
            "messages were answered and noticed": len(balance.both),
            "answers reached somebody else": balance.misdirected,
            "answers to nobody": balance.uninvited + balance.unexplained,
            "rules of the Bot API were broken": server.violations,
            "crashes of the test server": server.crashes,
            "answers came twice": balance.duplicates > allowed(method, fault),
            "books don't balance": balance.injected
            != balance.answered + balance.noticed + balance.unaddressed,
        }
        return [f"{method}: {what} ({how})" for what, how in problems.items() if how]


def leaves(error: BaseException) -> list[BaseException]:
    """The errors in a group, or the error itself."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in leaves(inner)]
    return [error]


def allowed(method: str, fault: FaultKind) -> int:
    """Answers that may come twice: those whose sending can't be known to have succeeded."""
    if method == "editMessageReplyMarkup":
        return 2  # the sends that were dropped, where the question itself fails
    if method == "editMessageText" and fault == "unauthorized":
        return TIMES  # what can't be edited is said anew
    return TIMES if method == "sendMessage" and fault in UNKNOWN else 0


@pytest.mark.parametrize("fault", get_args(FaultKind))
def test_books_balance(fault: FaultKind, tmp_path: Path) -> None:
    async def matrix() -> list[list[str]]:
        return await asyncio.gather(*(play(method, fault, tmp_path) for method in METHODS))

    problems = [problem for found in asyncio.run(matrix()) for problem in found]
    assert not problems, "\n".join(problems)
