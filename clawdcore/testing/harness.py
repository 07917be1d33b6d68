"""The whole bot in a test: real edge, broker, worker and plugins; no network, no waiting.

Only the two ends are made up: Telegram is in memory, and the model is a
:class:`FakeBackend`. Time is virtual.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Mapping, Sequence
from copy import deepcopy
from typing import Any, TypeVar

import msgspec

from ..backend import Backend
from ..broker import memory_broker
from ..config import Config, parse
from ..edge.app import Edge
from ..edge.books import Books
from ..edge.workers import OneWorker
from ..hooks import callbacks
from ..hooks.storage import SettingsStore
from ..worker.app import Report, Worker
from ..worker.refs import ModelRef
from .backend import FakeBackend
from .clock import VirtualLoop
from .telegram import BOT, FakeTelegram, Sent

T = TypeVar("T")
EPOCH = 1_800_000_000
"""Telegram's clock when a test begins, seconds since 1970."""
UNHURRIED = {"perSecond": 100_000, "perChat": 100_000, "groupPerMinute": 6_000_000}
"""A pace that holds nothing up."""


class User(msgspec.Struct, frozen=True):
    """Somebody who writes to the bot."""

    id: int
    name: str = "Ada"
    username: str = ""
    language: str = "en"


class Group(msgspec.Struct, frozen=True):
    """A group that the bot is in."""

    id: int = -1001
    title: str = "Group"


ADA = User(101, "Ada", "ada")


class Harness:
    """One bot under test.

    ``plugins`` are names of installed plugins, or objects with hooks; ``config``
    is what ``clawdbot.json`` would hold. With ``network`` the bot may wait for real
    sockets, and its time is then the real one. Use it as a context manager, or call
    :meth:`close`.
    """

    def __init__(
        self,
        plugins: Sequence[str | object] = (),
        *,
        config: Mapping[str, Any] | None = None,
        backend: Backend | None = None,
        network: bool = False,
    ) -> None:
        self.loop = VirtualLoop()
        self.loop.external = network
        self.telegram = FakeTelegram()
        self.backend = FakeBackend() if backend is None else backend
        self._targets: dict[str, object] = {}
        self.config = self._configure(plugins, deepcopy(dict(config or {})))
        if isinstance(self.backend, FakeBackend) and not self.backend.model:
            self.backend.model = ModelRef.parse(self.config.agents.defaults.model.primary).model
        self._next_message = 1
        self._presses = 0
        self._running: asyncio.Task[None] | None = None
        self._told = False
        try:
            self.report: Report = self._run(self._start())
        except BaseException:
            self._end_loop()
            raise

    def _configure(self, plugins: Sequence[str | object], config: dict[str, Any]) -> Config:
        options: dict[str, Any] = {}
        for entry in config.pop("plugins", []):
            options[entry if isinstance(entry, str) else entry["name"]] = entry
        entries: list[Any] = []
        for plugin in plugins:
            name = plugin if isinstance(plugin, str) else _name_of(plugin)
            if not isinstance(plugin, str):
                self._targets[name] = plugin
            entries.append(options.pop(name, name))
        entries.extend(options.values())
        telegram = config.setdefault("channels", {}).setdefault("telegram", {})
        # A test of a plugin asks what is sent; how fast is the edge's business.
        telegram.setdefault("pace", UNHURRIED)
        return parse(json.dumps({**config, "plugins": entries}), env={})

    async def _start(self) -> Report:
        edge_port, worker_port = memory_broker()
        store = SettingsStore()
        self.edge = Edge(
            self.config.channels.telegram,
            OneWorker(edge_port),
            self.telegram,
            clock=lambda: EPOCH + self.loop.time(),
        )
        probe = [self.config.agents.defaults.model.primary]
        probe += self.config.agents.defaults.model.fallbacks
        self.worker = Worker(
            self.config,
            worker_port,
            store=store,
            backends={reference.partition("/")[0]: self.backend for reference in probe},
            targets=self._targets,
            clock=self.loop.time,
            wall=lambda: EPOCH + self.loop.time(),
        )
        report = await self.worker.start()
        self._running = asyncio.create_task(self._serve())
        return report

    async def _serve(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.edge.run(BOT))
            tasks.create_task(self.worker.run())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run until ``work`` is done, or until the bot itself has failed."""

        async def watched() -> T:
            task = asyncio.ensure_future(work)
            waits: set[asyncio.Future[Any]] = {task}
            if self._running is not None:
                waits.add(self._running)
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if not task.done() and self._running is not None:
                task.cancel()
                self._told = True
                self._running.result()
                raise RuntimeError("the bot stopped before the test was done")
            return task.result()

        return self.loop.run_until_complete(watched())

    def say(
        self,
        text: str,
        *,
        sender: User = ADA,
        chat: Group | None = None,
        reply_to: Sent | None = None,
    ) -> str:
        """Write to the bot, and wait for all that it answers.

        In private unless ``chat`` names a group. Returns the texts of its
        messages to that chat, a line each; "" when it stays silent.
        """
        before = len(self.telegram.sent)
        self._run(self._say(self._message(text, sender, chat, reply_to)))
        where = sender.id if chat is None else chat.id
        new = self.telegram.sent[before:]
        return "\n".join(sent.text for sent in new if sent.chat == where)

    def press(
        self,
        text: str,
        *,
        sender: User = ADA,
        message: Sent | None = None,
        data: str | None = None,
        wait: bool = True,
    ) -> str:
        """Press the button that says ``text``, and wait for all that is under way.

        With ``wait`` False a second passes instead, so that other messages go on waiting.

        It is the newest one that can be seen, or one under ``message``. With ``data``
        that is what comes with the press, as from a client that was tampered with.
        Returns the texts of the bot's new messages to that chat, a line each; what
        was shown to the presser alone is in :attr:`toasts`.

        Raises:
            LookupError: no such button; says which ones there are.
        """
        shown, callback_data = self._button(text, message)
        before = len(self.telegram.sent)
        update = self._callback_query(shown, callback_data if data is None else data, sender)
        self._run(self._say(update) if wait else self._poke(update))
        return "\n".join(s.text for s in self.telegram.sent[before:] if s.chat == shown.chat)

    async def _poke(self, update: dict[str, Any]) -> None:
        await self.telegram.inject(update)
        await asyncio.sleep(1)

    def _button(self, text: str, message: Sent | None) -> tuple[Sent, str]:
        for sent in reversed(self.telegram.shown()):
            if message is None or (sent.chat, sent.id) == (message.chat, message.id):
                for button in (button for row in sent.buttons for button in row):
                    if button.text == text and not button.url:
                        return sent, callbacks.encode(button)
        raise LookupError(f"no button says {text!r}; there are {self.buttons or 'none'}")

    def _callback_query(self, shown: Sent, data: str, sender: User) -> dict[str, Any]:
        self._presses += 1
        kind = "private" if shown.chat > 0 else "supergroup"
        message = {
            "message_id": shown.id,
            "date": EPOCH + int(shown.at),
            "chat": {"id": shown.chat, "type": kind},
            "from": {"id": BOT.id, "is_bot": True, "first_name": "Bot"},
            "text": shown.text,
        }
        query = {
            "id": str(self._presses),
            "from": _user(sender),
            "message": message,
            "chat_instance": str(shown.chat),
            "data": data,
        }
        return {"callback_query": query}

    def inject(self, update: dict[str, Any]) -> None:
        """Hand the bot any update (without ``update_id``), and wait until it's done."""
        self._run(self._say(update))

    async def _say(self, update: dict[str, Any]) -> None:
        await self.telegram.inject(update)
        await self.edge.quiet()

    def send(self, *texts: str, sender: User = ADA, chat: Group | None = None) -> None:
        """Write several messages without waiting for the answers."""
        for text in texts:
            self._run(self.telegram.inject(self._message(text, sender, chat, None)))

    def settle(self) -> None:
        """Wait until everything that was written is answered."""
        self._run(self.edge.quiet())

    def advance(self, seconds: float) -> None:
        """Let (virtual) time pass."""
        self._run(asyncio.sleep(seconds))

    @property
    def sent(self) -> list[Sent]:
        """Everything that the bot has sent, in order."""
        return self.telegram.sent

    @property
    def buttons(self) -> list[str]:
        """What the buttons say that can be seen, those of the oldest message first."""
        shown = self.telegram.shown()
        return [button.text for sent in shown for row in sent.buttons for button in row]

    @property
    def toasts(self) -> list[str]:
        """What was shown to those who pressed a button, in order; "" for nothing is left out."""
        return [text for _, text in self.telegram.answers if text]

    @property
    def books(self) -> Books:
        """What came in and what became of it."""
        return self.edge.books

    def _message(
        self, text: str, sender: User, chat: Group | None, reply_to: Sent | None
    ) -> dict[str, Any]:
        number = self._next_message
        self._next_message += 1
        where: dict[str, Any] = {"id": sender.id, "type": "private", "first_name": sender.name}
        if chat is not None:
            where = {"id": chat.id, "type": "supergroup", "title": chat.title}
        message: dict[str, Any] = {
            "message_id": number,
            "date": EPOCH + int(self.loop.time()),
            "chat": where,
            "from": _user(sender),
            "text": text,
            "entities": list(_entities(text)),
        }
        if reply_to is not None:
            message["reply_to_message"] = {
                "message_id": reply_to.id,
                "date": EPOCH,
                "chat": where,
                "from": {"id": BOT.id, "is_bot": True, "first_name": "Bot"},
                "text": reply_to.text,
            }
        return {"message": message}

    def close(self) -> None:
        """Stop the bot as SIGTERM would, and end every task."""
        if self.loop.is_closed():
            return
        try:
            self.loop.run_until_complete(self._stop())
        finally:
            self._end_loop()

    def _end_loop(self) -> None:
        self.loop.external = True
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

    async def _stop(self) -> None:
        self.edge.stop()
        try:
            # What ended the bot was raised where it was waited for; again, it would hide itself.
            if self._running is not None and not self._told:
                await self._running
        finally:
            await self.worker.close()

    def __enter__(self) -> Harness:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _name_of(plugin: object) -> str:
    name = getattr(plugin, "__name__", type(plugin).__name__)
    return str(name).rpartition(".")[2].removeprefix("clawdbot_").lower()


def _user(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "is_bot": False,
        "first_name": user.name,
        "username": user.username,
        "language_code": user.language,
    }


def _entities(text: str) -> list[dict[str, Any]]:
    """The entities that Telegram would find: a command first, and mentions."""
    found = []
    at = 0
    for word in text.split(" "):
        units = len(word.encode("utf-16-le")) // 2
        bare = word.rstrip(",.:;!?")
        if len(bare) > 1 and word[0] in "/@" and bare.isascii():
            kind = "bot_command" if word[0] == "/" else "mention"
            found.append({"type": kind, "offset": at, "length": len(bare.partition("\n")[0])})
        at += units + 1
    return found
