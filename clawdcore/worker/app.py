"""The worker: everything that can fail, put together and run.

It is handed its end of a broker and the configuration, and knows nothing of
how updates come in or how replies go out.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from ..access import Policy
from ..admission.ladder import Rung
from ..backend import Backend
from ..broker import (
    Answered,
    Closed,
    Commands,
    Deliver,
    Delivered,
    Due,
    Fetched,
    Hello,
    Port,
    Ready,
    Remembered,
    Stop,
    Tell,
    ToEdge,
    ToWorker,
)
from ..config import Config
from ..errors import BackendError
from ..gateway.keys import Key
from ..hooks.command import DESCRIPTION_LIMIT
from ..hooks.context import Context
from ..hooks.http import Clients
from ..hooks.loaded import Tables
from ..hooks.loader import Loader
from ..hooks.quarantine import Quarantine
from ..hooks.storage import SettingsStore
from ..texts import LANGUAGES
from ..vitals import PluginUse
from .backends import make_backends
from .budgets import Budgets
from .builtin import CORE, builtin_commands, unique
from .chats import AllChats
from .control import BotControl
from .dispatch import Dispatch
from .failures import Failures
from .listening import Listening
from .memory import Ahead, Memories
from .models import ModelChain
from .owner import Owner
from .pipeline import Pipeline
from .plugins import Plugins
from .reading import Files, Readers
from .refs import ModelRef
from .rooms import WorkerRooms
from .routing import Routes
from .schedule import Schedules
from .seats import Seats
from .servers import Servers, lowest_class
from .serving import Serving
from .strays import Strays, home_of
from .telling import Telling
from .threads import Threads
from .tools import BotTools
from .underway import UnderWay
from .waiting import Waiting

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)


class Report(msgspec.Struct):
    """What the start came to.

    Each value of ``disabled`` and ``models`` is an error for people; ``homes`` is where
    plugins' code stands, as :func:`.strays.home_of` gives it.
    """

    disabled: dict[str, Exception]
    models: dict[str, BackendError]
    commands: list[str]
    claim_code: str
    homes: dict[str, str] = {}


class Worker:
    """One worker over one broker.

    ``gateway`` are listening sockets to serve the gateway on, none for no gateway,
    and ``keys`` its callers beside the one with the configuration's token.
    ``backends`` are used in place of what the plugins' factories would make,
    ``targets`` in place of what entry points name, and ``transport`` in place of what
    sends plugins' HTTP requests (tests). ``failed`` is told what a plugin raised.
    """

    def __init__(
        self,
        config: Config,
        port: Port[ToEdge, ToWorker],
        *,
        loader: Loader | None = None,
        store: SettingsStore | None = None,
        backends: Mapping[str, Backend] | None = None,
        targets: dict[str, object] | None = None,
        gateway: Sequence[socket.socket] = (),
        keys: Sequence[Key] = (),
        transport: Callable[[], httpx.AsyncBaseTransport] | None = None,
        failed: Callable[[str, BaseException], None] = lambda plugin, error: None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._port = port
        self._loader = loader or Loader()
        self._clients = Clients(self._loader.needs, transport)
        self._store = store or SettingsStore()
        self._wall = wall
        self._targets = targets or {}
        self._sockets = tuple(gateway)
        self._keys = tuple(keys)
        self._clock = clock
        defaults = config.agents.defaults
        timeout = defaults.timeout
        self._seats = Seats(defaults.max_concurrent, budget=timeout.total / 1000)
        self._budgets = Budgets(
            config.plugins,
            seats=self._seats,
            at_once=defaults.max_concurrent,
            budget=timeout.total / 1000,
        )
        self.owner = Owner(config.channels.telegram.owner, self._store.of(CORE))
        self._telling = Telling(port, self.owner, clock=clock)
        self._tell = self._telling.tell
        self.refs = [ModelRef.parse(r) for r in (defaults.model.primary, *defaults.model.fallbacks)]
        self.models = ModelChain(
            self.refs,
            Servers(
                make_backends(config, self.refs, self._loader) if backends is None else backends,
                ceiling=config.gateway.max_concurrent_requests,
                bound=config.gateway.request_queue_size,
                budget=timeout.request / 1000,
                stepped=self._stepped,
            ),
            seats=self._seats,
            request_timeout=timeout.request / 1000,
            total_timeout=timeout.total / 1000,
            told=self._tell,
        )
        self._starting: asyncio.Task[dict[str, BackendError]] | None = None
        self.tables = Tables()
        self._threads = Threads()
        self._files = Files(port)
        self._under_way = UnderWay()
        self._memories = Memories()
        self._schedules = Schedules(
            self._threads,
            now=wall,
            seconds=self._budgets.seconds,
            messages=self._budgets.messages,
        )
        self._failures = Failures(
            Quarantine(by_plugin=self._budgets.failures()),
            clock=clock,
            rested=self._telling.rested,
            failed=failed,
        )
        self.plugins = Plugins(self.tables, self._threads, self._failures)
        self._tools = BotTools(
            lambda: self.tables.commands.values(),  # noqa: PLW0108 - the tables change
            self._threads,
            self._failures,
            self._budgets.seconds,
        )
        memory = self._memories.of(CORE)
        self._listening = Listening(self._store, memory)
        self._chats = AllChats(port, self._listening, clock=clock)
        self.control = BotControl(
            port,
            owner=self.owner,
            plugins=lambda: self.plugins,
            resting=self._failures.resting,
            models=self.models,
            seats=self._seats,
            under_way=self._under_way,
            chats=self._chats,
            store=self._store,
            memory=memory,
            clock=clock,
        )

    def _context(self, name: str, options: Any) -> Context:
        return Context(
            plugin=name,
            options=options,
            models=self.models,
            storage=self._store.of(name),
            memory=self._memories.of(name),
            schedule=self._schedules.of(name),
            compaction=self._config.agents.defaults.compaction.mode,
            clock=self._clock,
            now=lambda: datetime.fromtimestamp(self._wall(), UTC),
            chats=self._chats.of(name),
            control=self.control,
            tools=self._tools,
            client=lambda: self._clients.of(name),
            help=lambda: tuple((c.name, c.summary) for c in unique(self.tables.commands.values())),
        )

    async def start(self, *, models: bool = True) -> Report:
        """Load the plugins and start the models, before the first message.

        With ``models`` False they start meanwhile; who needs one waits for it.

        Raises:
            clawdcore.errors.StorageError: the settings can't be read.
        """
        await self.owner.load()
        await self._listening.load()
        await self.control.load()
        self.tables = self._loader.tables(self._config.plugins, self._context, self._targets)
        own = builtin_commands(self.owner, lambda: self.tables.commands.values())  # noqa: PLW0108
        for command in own:
            self.tables.commands.setdefault(command.name, command)
        self.plugins = Plugins(self.tables, self._threads, self._failures)
        failures: dict[str, BackendError] = {}
        if models:
            failures = await self.models.servers.start()
        else:
            self._starting = asyncio.create_task(self.models.servers.start())
        for name, error in (await self.plugins.startup()).items():
            self.tables.disable(name, error)
        self.plugins = Plugins(self.tables, self._threads, self._failures)
        return Report(
            disabled=dict(self.tables.disabled),
            models=failures,
            commands=[command.name for command in unique(self.tables.commands.values())],
            claim_code=self.owner.code,
            homes={plugin.name: home_of(plugin.target) for plugin in self.tables.plugins},
        )

    async def run(self, hello: Hello | None = None, ready: Ready | None = None) -> None:
        """Work until the edge says stop or closes the broker; returns when all is done.

        ``hello`` is what the edge has said already, and ``ready`` what it is told.
        """
        try:
            if hello is None:
                hello = await self._greeted()
            await self._port.send(ready or Ready(exclusive=self.models.exclusive))
            pipeline = self._pipeline(hello)
            serving = await self._serve(pipeline)
            await self._announce_commands()
            await self._schedules.open(self._port)
            async with asyncio.TaskGroup() as tasks:
                notes = tasks.create_task(self._telling.run())
                memories = tasks.create_task(self._memories.run(self._port))
                strays = tasks.create_task(Strays(self.tables.plugins, self._failures).run())
                try:
                    if await self._receive(pipeline, tasks):
                        await pipeline.drained()
                        if serving is not None:
                            await serving.drain()
                    await self._schedules.drained()
                    await self._memories.send(self._port)
                finally:
                    notes.cancel()
                    memories.cancel()
                    strays.cancel()
                    await pipeline.stop()
                    if serving is not None:
                        await serving.close()
                    await self._schedules.stop()
        except* Closed:
            log.debug("the edge is gone")
        finally:
            self._telling.stop()
            self._port.close()

    async def _serve(self, pipeline: Pipeline) -> Serving | None:
        """The gateway, if there is one, accepting calls."""
        if not self._sockets:
            return None
        rooms = WorkerRooms(self.models, messages=pipeline.outcomes, plugins=self._usage)
        rooms.taking = True
        serving = Serving(self._config, rooms, self._sockets, self._keys, tell=self._tell)
        await serving.start()
        return serving

    def _usage(self) -> tuple[PluginUse, ...]:
        names = [plugin.name for plugin in self.tables.plugins]
        return self._failures.usage.look(names, self._failures.resting())

    async def _greeted(self) -> Hello:
        hello = await self._port.receive()
        if not isinstance(hello, Hello):
            raise TypeError(f"the first record must be Hello, not {type(hello).__name__}")
        return hello

    def remember(self, record: Remembered) -> None:
        """Take what another worker has remembered."""
        self._memories.take(record)
        if record.plugin == CORE:
            self._listening.changed(record.key)
            self.control.changed(record.key)

    async def _receive(self, pipeline: Pipeline, tasks: asyncio.TaskGroup) -> bool:
        """Until the edge says stop, or is gone; returns whether somebody wants the rest."""
        while True:
            try:
                record = await self._port.receive()
            except Closed:
                return False
            match record:
                case Deliver():
                    await pipeline.take(record)
                case Fetched():
                    self._files.arrived(record)
                case Answered():
                    self._chats.answered(record)
                case Delivered():
                    pipeline.waiting.delivered(record.receipt)
                    if self.plugins.wants_receipts:
                        tasks.create_task(self.plugins.delivered(record.receipt))
                case Tell():
                    disabled = ", ".join(sorted(self.tables.disabled))
                    started = record.kind == "started"
                    self._tell(record.kind, disabled if started else record.subject)
                case Remembered():
                    self.remember(record)
                case Due():
                    self._schedules.take(record)
                case Stop():
                    return True
                case Hello():
                    log.warning("a second Hello was ignored")

    def _pipeline(self, hello: Hello) -> Pipeline:
        failures = self._failures
        self._chats.bot = hello.bot
        for plugin, seconds in hello.resting:
            failures.put_to_rest(plugin, seconds)
        ahead = Ahead(self._port, self._memories)
        waiting = Waiting(ahead)
        dispatch = Dispatch(
            routes=Routes(
                self.tables.commands,
                self.tables.handlers,
                self._threads,
                (*self.tables.buttons.values(), waiting.entry()),
                {plugin.name: plugin.needs for plugin in self.tables.plugins},
            ),
            policy=Policy(self._config.channels.telegram),
            owner=self.owner,
            seats=self._seats,
            failures=failures,
            clock=self._clock,
            hearing=self._listening.of,
            paused=lambda: self.control.paused,
        )
        timeout = self._config.agents.defaults.timeout
        total, media = timeout.total / 1000, timeout.media / 1000
        self._schedules.attach(
            failures,
            limit=total,
            alive=lambda plugin: any(each.name == plugin for each in self.tables.plugins),
        )
        return Pipeline(
            ahead,
            bot=hello.bot,
            dispatch=dispatch,
            plugins=self.plugins,
            files=self._files,
            readers=Readers(
                self.tables.readers,
                self._threads,
                seats=self._seats,
                failures=failures,
                at_once=self._config.agents.defaults.subagents.max_concurrent,
                budget=total + media,
            ),
            failures=failures,
            seats=self._seats,
            budgets=self._budgets,
            waiting=waiting,
            under_way=self._under_way,
            rung=lambda: self.models.servers.rung,
            total_timeout=total,
            media_timeout=media,
            clock=self._clock,
        )

    async def _announce_commands(self) -> None:
        """The menu of commands, in each language that we have."""
        for language in LANGUAGES:
            menu = tuple(
                (command.name, command.said(command.summary, language)[:DESCRIPTION_LIMIT])
                for command in unique(self.tables.commands.values())
            )
            await self._port.send(Commands(language, menu))

    def _stepped(self, before: Rung, rung: Rung) -> None:
        """Another rung of the ladder: stop taking what it gives up, and tell the owner."""
        log.warning("under load: %s", rung.name.lower().replace("_", " "))
        lowest = lowest_class(rung)
        for gate in (self._seats.gate, *(server.gate for server in self.models.servers)):
            gate.close_to(lowest)
        if rung is Rung.NONE:
            self._tell("calm", "")
        elif rung > before:
            self._tell("busy", rung.name)

    async def close(self) -> None:
        """Stop plugins and backends and close the settings, each whatever the others do."""
        async with AsyncExitStack() as stack:
            stack.callback(self._memories.clear)
            stack.callback(self._seats.close)
            stack.callback(self._budgets.close)
            stack.callback(self._threads.shutdown, cancel_futures=True)
            stack.push_async_callback(self._store.close)
            stack.push_async_callback(self.models.close)
            stack.push_async_callback(self._chats.close)
            stack.push_async_callback(self._clients.close)
            if self._starting is not None:
                self._starting.cancel()
            await self.plugins.shutdown()
