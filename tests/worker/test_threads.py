"""Plain functions' own threads: bounded, daemons, and safe from what they raise."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from contextvars import ContextVar

import pytest

from clawdcore.worker import threads
from clawdcore.worker.results import call
from clawdcore.worker.threads import Threads

WHO: ContextVar[str] = ContextVar("who", default="nobody")


def test_results_errors_and_context_come_through() -> None:
    async def story() -> None:
        pool = Threads()
        WHO.set("ada")
        assert await call(WHO.get, pool) == "ada"
        with pytest.raises(ZeroDivisionError):
            await call(lambda: 1 / 0, pool)
        pool.shutdown()

    asyncio.run(story())


@pytest.mark.parametrize(
    "error",
    [StopIteration(1), SystemExit(3), KeyboardInterrupt(), GeneratorExit()],
    ids=lambda error: type(error).__name__,
)
def test_what_a_future_can_t_carry_becomes_a_runtime_error(error: BaseException) -> None:
    def fail() -> None:
        raise error

    async def story() -> None:
        pool = Threads()
        async with asyncio.timeout(10):
            with pytest.raises(RuntimeError, match=type(error).__name__):
                await call(fail, pool)
            assert await call(lambda: "alive", pool) == "alive"
        pool.shutdown()

    asyncio.run(story())


def test_no_more_threads_than_the_limit_and_idle_ones_serve_again() -> None:
    pool = Threads(limit=2)
    gate = threading.Event()
    names: set[str] = set()

    def work() -> None:
        names.add(threading.current_thread().name)
        gate.wait(10)

    futures = [pool.submit(work) for _ in range(6)]
    gate.set()
    for future in futures:
        future.result(10)
    assert 1 <= len(names) <= 2
    assert pool.submit(threading.current_thread).result(10).name in {"plugin-1", "plugin-2"}
    pool.shutdown()


def test_what_waits_is_bounded_and_given_up_calls_make_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threads, "WAITING", 2)
    pool = Threads(limit=1)
    gate, begun = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        gate.wait(10)

    pool.submit(hold)
    assert begun.wait(10)
    first = pool.submit(int)
    pool.submit(int)
    with pytest.raises(RuntimeError, match="wait for a thread"):
        pool.submit(int)
    first.cancel()
    last = pool.submit(int)
    gate.set()
    assert last.result(10) == 0
    pool.shutdown()
    with pytest.raises(RuntimeError, match="shut down"):
        pool.submit(int)


HANGS = """
import asyncio, threading
from clawdcore.worker.results import call
from clawdcore.worker.threads import Threads

async def main():
    pool = Threads()
    try:
        async with asyncio.timeout(0.1):
            await call(threading.Event().wait, pool)
    except TimeoutError:
        print("given up")
    pool.shutdown(cancel_futures=True)

asyncio.run(main())
"""


def test_the_process_ends_though_a_function_hangs() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", HANGS], capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stdout.strip() == "given up"
