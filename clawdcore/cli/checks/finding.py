"""What a check finds, and how checks are run: each alone, in bounded time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from ...errors import ClawdBotError
from ...privacy import describe

T = TypeVar("T")
LIMIT: Final = 20.0
"""Seconds that a check may take; no call that it makes is given longer."""


class Status(StrEnum):
    """How bad a finding is. FAIL: the bot can't work so."""

    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor: what is so, and what to do about it."""

    status: Status
    message: str
    fix: str = ""

    @classmethod
    def of(cls, error: ClawdBotError) -> Finding:
        """An error for people as a failure."""
        return cls(Status.FAIL, error.what, error.fix)


def ok(message: str) -> Finding:
    """All is well."""
    return Finding(Status.OK, message)


def warn(message: str, fix: str = "") -> Finding:
    """It works, but not as it should."""
    return Finding(Status.WARN, message, fix)


def fail(message: str, fix: str) -> Finding:
    """It can't work."""
    return Finding(Status.FAIL, message, fix)


Check = Callable[[], Awaitable[Sequence[Finding]]]
"""No findings: what it would look at is not there, as another check says."""
Tell = Callable[[str, Finding], None]


async def run_checks(checks: Mapping[str, Check], tell: Tell, *, limit: float = LIMIT) -> None:
    """Run all at once; each finding is told under its check's name, in the order of ``checks``."""
    async with asyncio.TaskGroup() as tasks:
        running = {name: tasks.create_task(guarded(check, limit)) for name, check in checks.items()}
        for name, task in running.items():
            for finding in await task:
                tell(name, finding)


async def guarded(check: Check, limit: float = LIMIT) -> Sequence[Finding]:
    """What ``check`` finds; an error, or more than ``limit`` seconds, is a finding too."""
    try:
        async with asyncio.timeout(limit):
            return await check()
    except TimeoutError:
        return [fail(f"no result within {limit:g} s.", "Run clawdbot doctor again.")]
    except ClawdBotError as error:
        return [Finding.of(error)]
    except Exception as error:  # noqa: BLE001 - one check's error must not hide what others find
        return [fail(f"the check itself failed: {describe(error)}.", "Please report this.")]


async def in_thread(function: Callable[[], T]) -> T:
    """Run ``function`` beside the event loop; cancelling leaves it behind.

    Unlike ``asyncio.to_thread`` nothing waits for it at the end: a hanging
    disk, or a plugin whose import hangs, must not keep the doctor.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, error: Exception | None) -> None:
        if result.done():
            return
        if error is not None:
            result.set_exception(error)
        else:
            result.set_result(value)  # type: ignore[arg-type]

    def work() -> None:
        value, raised = None, None
        try:
            value = function()
        except Exception as error:  # noqa: BLE001 - raised again where it is awaited
            raised = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, value, raised)

    threading.Thread(target=work, name="check", daemon=True).start()
    return await result
