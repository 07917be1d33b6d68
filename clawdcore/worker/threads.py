"""Threads for plugins' plain functions, apart from those that the loop itself needs."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, Final, ParamSpec, TypeVar

from .guard import tame

P = ParamSpec("P")
T = TypeVar("T")
Call = tuple["Future[Any]", Callable[[], Any]]

THREADS: Final = 32
"""Threads at most: as many as asyncio gives its own pool on a large machine."""
WAITING: Final = 1024
"""Calls that wait for a thread at most; each belongs to a message that waits."""


class Threads(Executor):
    """A bounded pool of daemon threads: the end of the process waits for none of them.

    So a function that hangs holds up neither the exit nor look-ups of names,
    which share the loop's own pool. What a function raises that is no
    ``Exception``, or that a future can't carry, becomes a ``RuntimeError``.
    """

    def __init__(self, limit: int = THREADS) -> None:
        self._limit = limit
        self._started = 0
        self._idle = 0
        self._calls: deque[Call] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As the base class does.

        Raises:
            RuntimeError: the pool is shut down, or too much waits already.
        """
        future: Future[T] = Future()
        with self._changed:
            if self._closed:
                raise RuntimeError("the threads for plain functions are shut down")
            if len(self._calls) >= WAITING:
                self._calls = deque(call for call in self._calls if not call[0].cancelled())
                if len(self._calls) >= WAITING:
                    raise RuntimeError(f"{WAITING} calls wait for a thread already")
            self._calls.append((future, lambda: fn(*args, **kwargs)))
            if self._idle < len(self._calls) and self._started < self._limit:
                self._started += 1
                name = f"plugin-{self._started}"
                threading.Thread(target=self._work, name=name, daemon=True).start()
            self._changed.notify()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let idle threads end; busy ones are never waited for, whatever ``wait`` says."""
        with self._changed:
            self._closed = True
            if cancel_futures:
                for future, _ in self._calls:
                    future.cancel()
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._idle += 1
                while not self._calls and not self._closed:
                    self._changed.wait()
                self._idle -= 1
                if not self._calls:
                    return
                future, call = self._calls.popleft()
            if future.set_running_or_notify_cancel():
                _fulfil(future, call)
            del future, call


def _fulfil(future: Future[Any], call: Callable[[], Any]) -> None:
    try:
        result = call()
    except (StopIteration, StopAsyncIteration) as error:
        future.set_exception(tame(error))
    except Exception as error:  # noqa: BLE001 - a plugin is foreign code
        future.set_exception(error)
    except BaseException as error:  # noqa: BLE001 - nor may it end the thread or the loop
        future.set_exception(tame(error))
    else:
        future.set_result(result)
