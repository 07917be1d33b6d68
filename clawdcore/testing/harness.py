"""The whole bot in a test: real edge, broker, worker and plugins; no network, no waiting.

Only the two ends are made up: Telegram is in memory, and the model is a
:class:`FakeBackend`. Time is virtual.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
from collections.abc import Coroutine, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import httpx
import msgspec

from ..backend import Backend
from ..broker import memory_broker
from ..config import Config, parse
from ..edge.app import Edge
from ..edge.books import Books
from ..edge.workers import OneWorker
from ..hooks import callbacks
from ..hooks.chats import Member
from ..hooks.storage import SettingsStore
from ..worker.app import Report, Worker
from ..worker.refs import ModelRef
from .backend import FakeBackend
from .clock import VirtualLoop
from .http import FakeHttp
from .telegram import BOT, FakeTelegram, Sent
from .writing import ADA, EPOCH, NO_FILES, Document, Files, Group, Said, User, Writer

T = TypeVar("T")
UNHURRIED = {"perSecond": 100_000, "perChat": 100_000, "groupPerMinute": 6_000_000}
"""A pace that holds nothing up."""


FIRST: Final = 5_000
"""The id of the first of those who take part in a flood."""


class Flood(msgspec.Struct, frozen=True, kw_only=True):
    """What a flood came to.

    ``sent`` are the bot's messages; so many of people's were ``answered``, and so many got
    a notice. ``seconds`` is when the last was sent.
    """

    sent: tuple[Sent, ...]
    answered: int
    noticed: int
    seconds: float


class Harness:
    """One bot under test.

    ``plugins`` are names of installed plugins, or objects with hooks; ``config``
    is what ``clawdbot.json`` would hold. With ``network`` the bot may wait for real
    sockets, and its time is then the real one. With ``reraise`` what a plugin raises is
    raised where the test waits; :attr:`failures` has it in any case. ``http`` is what
    plugins reach through ``context.http``. Use it as a context manager, or call
    :meth:`close`; then :attr:`left_behind` names the tasks that still ran.
    """

    def __init__(
        self,
        plugins: Sequence[str | object] = (),
        *,
        config: Mapping[str, Any] | None = None,
        backend: Backend | None = None,
        network: bool = False,
        reraise: bool = False,
        http: FakeHttp | None = None,
    ) -> None:
        self.failures: list[tuple[str, BaseException]] = []
        self.left_behind: list[str] = []
        self._reraise = reraise
        self._raised = 0
        self.http = FakeHttp() if http is None else http
        self._network = network
        self.loop = VirtualLoop()
        self.loop.external = network
        self.telegram = FakeTelegram()
        used = FakeBackend() if backend is None else backend
        # Typed as what nearly every test has; who gives another one knows what it is.
        self.backend = cast("FakeBackend", used)
        self._targets: dict[str, object] = {}
        self.config = self._configure(plugins, deepcopy(dict(config or {})))
        if isinstance(used, FakeBackend) and not used.model:
            used.model = ModelRef.parse(self.config.agents.defaults.model.primary).model
        self._writer = Writer(self.telegram.files)
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
            name = plugin if isinstance(plugin, str) else name_of(plugin)
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
            transport=lambda: httpx.AsyncHTTPTransport() if self._network else self.http,
            failed=lambda plugin, error: self.failures.append((plugin, error)),
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

        if self.loop.is_running():  # by an async test, of which this is another thread
            result = self._handed_over(watched())
        else:
            result = self.loop.run_until_complete(watched())
        self._raise()
        return result

    def _handed_over(self, work: Coroutine[Any, Any, T]) -> T:
        """Have the loop do ``work``, and wait; meanwhile this thread does nothing."""
        done: concurrent.futures.Future[T] = concurrent.futures.Future()

        def over(task: asyncio.Task[T]) -> None:
            self.loop.threads_busy += 1
            error = asyncio.CancelledError() if task.cancelled() else task.exception()
            if error is not None:
                done.set_exception(error)
            else:
                done.set_result(task.result())

        def begin() -> None:
            self.loop.threads_busy -= 1
            task = self.loop.create_task(work)
            task.add_done_callback(over)

        self.loop.call_soon_threadsafe(begin)
        return done.result()

    def _raise(self) -> None:
        """Raise what a plugin has raised since the last time, if that is wanted."""
        new, self._raised = self.failures[self._raised :], len(self.failures)
        if not (self._reraise and new):
            return
        plugin, error = new[0]
        if not isinstance(error, Exception):  # the bot ended what took too long
            error = TimeoutError(f"it took too long ({type(error).__name__})")
        error.add_note(f"Raised by the plugin {plugin!r}. A test that wants the bot's answer to")
        error.add_note("that is marked @pytest.mark.failures; bot.failures then lists the errors.")
        raise error

    def say(
        self,
        text: str = "",
        *,
        sender: User = ADA,
        chat: Group | None = None,
        reply_to: Sent | Said | None = None,
        photo: bytes | None = None,
        voice: bytes | None = None,
        audio: bytes | None = None,
        video: bytes | None = None,
        video_note: bytes | None = None,
        document: Document | None = None,
        sticker: bytes | None = None,
        album: str = "",
    ) -> str:
        """Write to the bot, and wait for all that it answers.

        In private unless ``chat`` names a group. One file may come with it, whose bytes
        the bot gets when it asks for them; ``text`` is then its caption. ``document`` is
        (name, bytes, media type). Messages of one ``album`` were sent together; see
        :meth:`album`. ``reply_to`` is one of :attr:`sent` or of :attr:`said`. Returns the
        texts of the bot's messages to that chat, a line each; "" when it stays silent.
        """
        files = Files(
            photo=photo,
            voice=voice,
            audio=audio,
            video=video,
            video_note=video_note,
            document=document,
            sticker=sticker,
        )
        before = len(self.telegram.sent)
        self._run(self._say(self._message(text, sender, chat, reply_to, files, album)))
        where = sender.id if chat is None else chat.id
        new = self.telegram.sent[before:]
        return "\n".join(sent.text for sent in new if sent.chat == where)

    def album(
        self,
        *files: bytes | Document,
        text: str = "",
        sender: User = ADA,
        chat: Group | None = None,
        reply_to: Sent | Said | None = None,
    ) -> str:
        """Send several photos (bytes) or documents together; as :meth:`say` otherwise.

        ``text`` is the caption of the first, where people's clients put it.
        """
        before = len(self.telegram.sent)
        name = f"album-{len(self.said)}"
        updates = []
        for number, file in enumerate(files):
            given = Files(photo=file) if isinstance(file, bytes) else Files(document=file)
            caption = "" if number else text
            updates.append(self._message(caption, sender, chat, reply_to, given, name))
        self._run(self._say(*updates))
        where = sender.id if chat is None else chat.id
        return "\n".join(sent.text for sent in self.telegram.sent[before:] if sent.chat == where)

    def flood(
        self,
        number: int,
        text: str = "hello",
        *,
        people: int = 50,
        chat: Group | None = None,
        photo: bytes | None = None,
    ) -> Flood:
        """Have ``people`` write ``number`` messages at once, and wait until all is settled.

        In private, each to the bot, unless ``chat`` names a group that all are in.
        """
        before = len(self.telegram.sent)
        began = self.loop.time()
        books = msgspec.structs.replace(self.books)
        files = Files(photo=photo)
        crowd = [User(FIRST + n, f"User {n + 1}") for n in range(min(people, number))]
        updates = [
            self._message(text, crowd[n % len(crowd)], chat, None, files) for n in range(number)
        ]
        self._run(self._say(*updates))
        sent = self.telegram.sent[before:]
        return Flood(
            sent=tuple(sent),
            answered=self.books.answered - books.answered,
            noticed=self.books.noticed - books.noticed,
            seconds=max((each.at for each in sent), default=began) - began,
        )

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
        update = self._writer.press(shown, callback_data if data is None else data, sender)
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

    def inject(self, update: dict[str, Any]) -> None:
        """Hand the bot any update (without ``update_id``), and wait until it's done."""
        self._run(self._say(update))

    async def _say(self, *updates: dict[str, Any]) -> None:
        for update in updates:
            await self.telegram.inject(update)
        await self.edge.quiet()

    def send(
        self,
        *texts: str,
        sender: User = ADA,
        chat: Group | None = None,
        reply_to: Sent | Said | None = None,
        photo: bytes | None = None,
        album: str = "",
    ) -> None:
        """Write several messages without waiting for the answers; ``photo`` comes with each."""
        files = Files(photo=photo)
        for text in texts:
            message = self._message(text, sender, chat, reply_to, files, album)
            self._run(self.telegram.inject(message))

    def _message(
        self,
        text: str,
        sender: User,
        chat: Group | None,
        reply_to: Sent | Said | None,
        files: Files = NO_FILES,
        album: str = "",
    ) -> dict[str, Any]:
        return self._writer.message(
            text,
            sender=sender,
            chat=chat,
            reply_to=reply_to,
            files=files,
            album=album,
            now=self.loop.time(),
        )

    def admins(
        self, chat: Group | int, user: User | int | None = None, can_delete: bool = False
    ) -> None:
        """Make somebody an admin of a group, the bot itself where ``user`` is None.

        ``can_delete``: messages of others too. What Telegram tells is remembered by the
        bot for a minute: see :class:`~clawdcore.Chats`.
        """
        where = chat if isinstance(chat, int) else chat.id
        who = BOT.id if user is None else user if isinstance(user, int) else user.id
        self.telegram.members[where, who] = Member(admin=True, can_delete=can_delete)

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
    def said(self) -> list[Said]:
        """Everything that people have written, in order."""
        return self._writer.said

    @property
    def deleted(self) -> list[tuple[int, int]]:
        """The messages that the bot has deleted, its own and others': (chat, message id)."""
        return self.telegram.deleted

    @property
    def edits(self) -> list[tuple[int, int, str]]:
        """Each text that one of the bot's messages was given later: (chat, message id, text)."""
        return self.telegram.edits

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

    def close(self) -> None:
        """Stop the bot as SIGTERM would, and end every task."""
        if self.loop.is_closed():
            return
        try:
            self.loop.run_until_complete(self._stop())
            tasks = asyncio.all_tasks(self.loop)
            self.left_behind = sorted(_described(task) for task in tasks if not task.done())
        finally:
            self._end_loop()

    def _end_loop(self) -> None:
        self.loop.external = True
        self.loop.run_until_complete(self.http.aclose())
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


def _described(task: asyncio.Task[Any]) -> str:
    code = getattr(task.get_coro(), "cr_code", None)
    if code is None:
        return task.get_name()
    return f"{code.co_qualname} ({Path(code.co_filename).name}:{code.co_firstlineno})"


def name_of(plugin: object) -> str:
    """The name of a plugin that is given as an object: that of its module or class."""
    name = getattr(plugin, "__name__", type(plugin).__name__)
    return str(name).rpartition(".")[2].removeprefix("clawdbot_").lower()
