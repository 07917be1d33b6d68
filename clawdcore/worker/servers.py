"""The model servers: started once, watched while they work, each behind its gate."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from ..admission.gate import Gate
from ..admission.ladder import Ladder, Rung, pressure
from ..admission.limit import LimitControl
from ..backend import Backend, Priority
from ..errors import BackendError, BackendUnavailable
from ..privacy import describe
from .guard import GRACE, ends_us, within

log = logging.getLogger(__name__)

RESTART_PAUSE: Final = 30.0
"""Seconds before a backend that could not start is tried again."""
LOOK: Final = 1.0
"""Seconds between two looks at a server that has work."""
LOOK_LIMIT: Final = 2.0
"""Seconds that one look may take."""


def _now() -> float:
    return asyncio.get_running_loop().time()


class Server:
    """A backend, what we know of its start, and the gate in front of it."""

    def __init__(self, name: str, backend: Backend, gate: Gate) -> None:
        self.name = name
        self.backend = backend
        self.gate = gate
        self.error: BackendError | None = None
        self.ready = False
        self.control = LimitControl(gate.ceiling)
        self._starting: asyncio.Task[bool] | None = None
        self._failed_at = float("-inf")
        gate.limit = self.control.limit

    @property
    def up(self) -> bool:
        """Whether it can be asked now: started, and as far as we know not all of it is down."""
        replicas = self.gate.load.replicas if self.gate.load is not None else ()
        return self.ready and (not replicas or any(replica.up for replica in replicas))

    async def started(self) -> bool:
        """Whether the backend is ready; starts it in a task that no request's end stops."""
        if self.ready:
            return True
        if self._starting is None:
            if _now() - self._failed_at < RESTART_PAUSE:
                return False
            self._starting = asyncio.create_task(self._start())
        return await asyncio.shield(self._starting)

    async def must_start(self) -> None:
        """Raises :class:`~clawdcore.errors.BackendError` when the backend can't be started."""
        if not await self.started():
            raise self.error or BackendUnavailable(f"{self.name} is not started.")

    async def _start(self) -> bool:
        try:
            await self.backend.start()
        except BackendError as error:
            self.error = error
        except BaseException as error:
            if ends_us(error):
                raise
            self.error = BackendUnavailable(f"it failed to start ({type(error).__name__}).")
        else:
            self.ready, self.error = True, None
            return True
        finally:
            self._starting = None
        self._failed_at = _now()
        return False

    async def look(self) -> None:
        """Ask how busy it is, and set the limit by that."""
        try:
            load = await within(LOOK_LIMIT, self.backend.load())
        except BaseException as error:
            if ends_us(error):
                raise
            log.debug("%s does not say how busy it is: %s", self.name, describe(error))
            return
        self.gate.load = load
        queue = self.gate.queue
        self.gate.limit = self.control.sample(
            load, queue.running, _now(), held_back=queue.waiting > 0
        )

    def refused(self) -> None:
        """The server itself took no more."""
        self.gate.limit = self.control.refused(_now())

    async def close(self) -> None:
        """Close the backend, whatever it raises."""
        self.gate.close()
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait({self._starting}, timeout=GRACE)
        try:
            await self.backend.close()
        except BaseException as error:
            if ends_us(error):
                raise
            log.warning("backend %s did not close: %s", self.name, describe(error))


class Servers:
    """All of them, and the rung of the ladder on which they put the bot.

    ``ceiling`` generations may run at once on each, and ``bound`` wait; ``budget`` is
    the seconds that a request has. ``stepped`` is told the rung that was left and the one that
    was taken.
    """

    def __init__(
        self,
        backends: Mapping[str, Backend],
        *,
        ceiling: int,
        bound: int,
        budget: float,
        stepped: Callable[[Rung, Rung], None],
    ) -> None:
        self._budget = budget
        self._stepped = stepped
        self._ladder = Ladder()
        self._watching: asyncio.Task[None] | None = None
        self._all = {
            name: Server(
                name,
                backend,
                Gate(name, ceiling=ceiling, bound=bound, budget=budget, clock=_now),
            )
            for name, backend in backends.items()
        }

    @property
    def rung(self) -> Rung:
        """Where on the ladder the bot stands."""
        return self._ladder.rung

    def __iter__(self) -> Iterator[Server]:
        return iter(self._all.values())

    def get(self, name: str) -> Server | None:
        """The server of a provider, None where nobody configured it."""
        return self._all.get(name)

    @property
    def names(self) -> list[str]:
        """The providers."""
        return list(self._all)

    async def start(self) -> dict[str, BackendError]:
        """Start every backend at once; returns the errors of those that can't."""
        async with asyncio.TaskGroup() as tasks:
            for server in self._all.values():
                tasks.create_task(server.started())
        return {server.name: server.error for server in self._all.values() if server.error}

    async def close(self) -> None:
        """Close every backend; an error of one doesn't keep the others open."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait({self._watching}, timeout=GRACE)
        for server in self._all.values():
            await server.close()

    def watch(self) -> None:
        """There is work: look at the servers until there is none. Harmless twice."""
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch())

    async def look(self) -> None:
        """Ask all that have started how busy they are."""
        await asyncio.gather(*(server.look() for server in self._all.values() if server.ready))

    async def _watch(self) -> None:
        while True:
            await self.look()
            self._press()
            if not self.rung and not any(
                server.gate.queue.running or server.gate.queue.waiting
                for server in self._all.values()
            ):
                return
            await asyncio.sleep(LOOK)

    def _press(self) -> None:
        pressed = max(
            (
                pressure(
                    waiting=server.gate.queue.pressing(),
                    bound=server.gate.queue.bound,
                    wait=server.gate.queue.felt,
                    budget=self._budget,
                )
                for server in self._all.values()
            ),
            default=0.0,
        )
        before = self.rung
        rung = self._ladder.press(pressed, _now())
        if rung is not before:
            self._stepped(before, rung)


def lowest_class(rung: Rung) -> Priority:
    """The lowest class of work that is taken on a rung."""
    if rung >= Rung.DIRECT_ONLY:
        return Priority.DIRECT
    return Priority.GROUP if rung >= Rung.NO_MEDIA else Priority.MEDIA
