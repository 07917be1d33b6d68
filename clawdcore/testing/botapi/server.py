"""The server: its routes, its life, and the faults and freaks that a test asks for."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from .control import control_routes
from .core import Core
from .dispatch import Dispatcher, Rules
from .errors import JSON, ApiError, too_many_requests
from .faults import Fault, FaultKind, Faults
from .files import FileStore
from .journal import Journal
from .limits import Limits
from .loopback import is_loopback
from .people import People
from .request import read_parameters
from .spec import Method, load_spec
from .state import User, World
from .updates import PollRules, UpdateQueue


class BotApiServer(People):
    """A Bot API server for one bot, in memory, on loopback.

    Use it as an async context manager, or ``await start()`` and ``close()``. What
    people do is in :class:`~.people.People`, what the bot did in
    :class:`~.observed.Observed`. ``calls`` counts the calls of each method;
    ``violations`` names what broke the Bot API's description (``"sendMessage:
    unknown parameter x"``, never values); ``crashes`` says where this server
    itself failed, and is empty unless it has a bug.

    ``can_read_all_group_messages`` is Telegram's privacy mode switched off.
    ``limits`` are off unless given. ``webhook_retry`` is the first retry's delay in
    seconds. ``webhook_hosts`` may get webhook deliveries besides loopback.
    ``clock`` gives seconds since the epoch, ``now`` monotonic seconds. ``keep``
    bounds records, waiting updates and violations, ``keep_messages`` each chat.
    """

    def __init__(
        self,
        token: str = "1:TEST",
        username: str = "clawd_bot",
        *,
        first_name: str = "Clawd",
        can_read_all_group_messages: bool = True,
        can_join_groups: bool = True,
        supports_inline_queries: bool = False,
        limits: Limits | None = None,
        poll_rules: PollRules | None = None,
        webhook_retry: float = 1.0,
        webhook_hosts: frozenset[str] = frozenset(),
        seed: int = 0,
        first_update_id: int = 1,
        max_request_bytes: int = 64 * 1024 * 1024,
        keep: int = 100_000,
        keep_messages: int = 10_000,
        clock: Callable[[], float] = time.time,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        head = token.partition(":")[0]
        if not (head.isascii() and head.isdigit()):
            raise ValueError("a bot token is ID:SECRET, with a number for the id")
        spec = load_spec()
        bot = User(int(head), first_name, username, is_bot=True)
        core = Core(
            world=World(bot, clock, keep_messages=keep_messages),
            journal=Journal(clock, keep=keep),
            files=FileStore(),
            queue=UpdateQueue(spec.updates, now, first_id=first_update_id, most=keep),
            commands={},
            callbacks={},
            wake=self._wake,
        )
        super().__init__(core, sees_all=can_read_all_group_messages)
        me: JSON = {
            **bot.json(),
            "can_join_groups": can_join_groups,
            "can_read_all_group_messages": can_read_all_group_messages,
            "supports_inline_queries": supports_inline_queries,
        }
        rules = Rules(limits or Limits(), poll_rules or PollRules(), webhook_retry, webhook_hosts)
        self.token = token
        self.root = ""
        self.faults = Faults(seed)
        self._dispatch = Dispatcher(core, spec, rules, me, now=now, keep=keep)
        self.calls = self._dispatch.calls
        self.violations = self._dispatch.violations
        self.crashes = self._dispatch.crashes
        self._max_request_bytes = max_request_bytes
        self._runner: web.AppRunner | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen, and give the root: `http://127.0.0.1:PORT`. Port 0 takes a free one.

        Raises:
            ValueError: the host is not loopback.
            OSError: the port is taken.
        """
        if not is_loopback(host):
            raise ValueError(
                f"the local Bot API server listens on loopback only, not on {host!r}: "
                "it has no protection, anybody who reaches it speaks for every user"
            )
        app = web.Application(client_max_size=self._max_request_bytes)
        app.add_routes(control_routes(self))
        app.router.add_get(r"/file/bot{token}/{path:[\s\S]+}", self._download)
        app.router.add_route("*", r"/{path:[\s\S]*}", self._serve)
        runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        bound_host, bound_port = runner.addresses[0][:2]
        shown = f"[{bound_host}]" if ":" in bound_host else bound_host
        self.root = f"http://{shown}:{bound_port}"
        return self.root

    async def close(self) -> None:
        """Stop listening and delivering; polls end. May be called more than once."""
        await self._dispatch.hook.stop()
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def pending(self) -> int:
        """Updates that wait for the bot."""
        return len(self._core.queue.entries)

    @property
    def polling(self) -> bool:
        """Whether a `getUpdates` call waits now."""
        return self._dispatch.poller.waiting

    @property
    def webhook_url(self) -> str:
        """Where updates are posted, "" for nowhere."""
        return self._dispatch.hook.hook.url if self._dispatch.hook.hook else ""

    @property
    def webhook_error(self) -> str:
        """What went wrong with the last failed delivery, "" for nothing yet."""
        return self._dispatch.hook.last_error

    def fail(
        self,
        kind: FaultKind,
        method: str | None = None,
        *,
        times: int | None = 1,
        probability: float = 1.0,
        retry_after: int = 1,
        seconds: float = 0.0,
    ) -> None:
        """Let calls of ``method`` (None: any) go wrong; see :data:`faults.FaultKind`.

        Raises:
            ValueError: an unknown kind, or a probability outside 0 to 1.
        """
        self.faults.add(Fault(kind, method, times, probability, retry_after, seconds))

    def inject_raw(
        self, body: bytes | str | list[Any] | JSON | float | None, times: int = 1
    ) -> None:
        """Put anything where an update should stand, handed out ``times`` times.

        ``bytes`` go as they are, even broken; any other value goes as JSON.
        """
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._core.queue.add_raw(raw, times=times)
        self._wake()

    def repeat_update(self, update_id: int) -> None:
        """Hand an update out once more, confirmed or not.

        Raises:
            KeyError: no such update is remembered.
        """
        self._core.queue.repeat(update_id)
        self._wake()

    def double_updates(self, count: int) -> None:
        """Each of the next ``count`` updates comes twice."""
        self._core.queue.double(count)

    def scramble_updates(self, count: int) -> None:
        """The next ``count`` updates are held until all are there, then come reversed."""
        self._core.queue.scramble(count)

    def _wake(self) -> None:
        self._dispatch.wake()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        prefix, _, name = request.path.lstrip("/").partition("/")
        try:
            if not prefix.startswith("bot") or request.method not in ("GET", "POST"):
                raise ApiError(404, "Not Found")
            if prefix != f"bot{self.token}":
                raise ApiError(401, "Unauthorized")
            return await self._answer(request, self._dispatch.method(name))
        except ApiError as error:
            return web.json_response(error.body(), status=error.code)
        except Exception as error:  # noqa: BLE001 - our own bug: kept for the test to see
            self._dispatch.crashed(error)
            return web.json_response(ApiError(500, "Internal Server Error").body(), status=500)

    async def _answer(self, request: web.Request, method: Method) -> web.StreamResponse:
        given, uploads = await read_parameters(request)
        self.calls[method.name] += 1
        fault = self.faults.take(method.name)
        kind = fault.kind if fault else ""
        if fault and kind == "flood":
            raise too_many_requests(fault.retry_after)
        if kind == "error":
            raise ApiError(500, "Internal Server Error")
        if kind == "unauthorized":
            raise ApiError(401, "Unauthorized")
        if kind == "drop_before":
            return _cut(request)
        answer = await self._dispatch.run(method, given, uploads)
        if fault and kind == "slow":
            await asyncio.sleep(fault.seconds)
        if kind == "drop_after":
            return _cut(request)
        if kind == "garbage":
            answer = answer[:-1] + b"\xff"
        return web.Response(body=answer, content_type="application/json")

    async def _download(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["token"] != self.token:
            return web.json_response(ApiError(401, "Unauthorized").body(), status=401)
        stored = self._core.files.at_path(request.match_info["path"])
        if stored is None:
            return web.json_response(ApiError(404, "Not Found").body(), status=404)
        return web.Response(body=stored.data, content_type="application/octet-stream")


def _cut(request: web.Request) -> web.StreamResponse:
    """Close the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
