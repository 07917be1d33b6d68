"""``clawdbot plugins check``: the checks run in a process of their own, which they may end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from ..config import load
from ..edge.child import without_token
from ..errors import ClawdBotError
from ..hooks.loader import Loader
from ..privacy import describe
from ..process import die_with_parent, python

PATIENCE: Final = 60.0
"""Seconds that one check may take; ours take seven at most."""
MARK: Final = b"\x1e"
"""Stands before each line of ours, among whatever plugins print."""


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What one check came to: ``"ok"``, ``"failed"`` or ``"skipped"``, and why."""

    check: str
    what: str
    result: str = "ok"
    why: str = ""


class _Ended(msgspec.Struct, frozen=True):
    result: str
    why: str


async def checked(path: Path | None, name: str) -> AsyncIterator[Checked]:
    """Run all checks on the installed plugin ``name``, with its options in the file at ``path``.

    A check that ends the process or never ends has failed; the next runs in a new one.

    Raises:
        PluginError: it is not installed, or twice.
    """
    Loader().require([name])
    first = 0
    names = _names()
    while first < len(names):
        async for outcome in _process(path, name, first):
            first += 1
            yield outcome


def _names() -> list[tuple[str, str]]:
    """The checks, and what each is about."""
    from ..testing.plugin_checks import CHECKS

    return [
        (c.__name__.replace("_", "-"), (c.__doc__ or "").strip(" .").replace("`", ""))
        for c in CHECKS
    ]


async def _process(path: Path | None, name: str, first: int) -> AsyncIterator[Checked]:
    """The checks from the ``first`` on, as far as one process comes; at least one."""
    config = [] if path is None else [str(path)]
    process = await asyncio.create_subprocess_exec(
        *python(), __name__, str(os.getpid()), name, str(first), *config,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL, env=without_token(), limit=2**20,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        for check, what in _names()[first:]:
            try:
                async with asyncio.timeout(PATIENCE):
                    ended = await _ended(process.stdout)
                    why = "" if ended is not None else _how(await process.wait())
            except TimeoutError:
                ended, why = None, f"it does not end within {PATIENCE:g} s."
            if ended is None:
                yield Checked(check=check, what=what, result="failed", why=why)
                return
            yield Checked(check=check, what=what, result=ended.result, why=ended.why)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _ended(output: asyncio.StreamReader) -> _Ended | None:
    """What the next check came to, None where the process ended first."""
    while line := await output.readline():
        if MARK in line:
            return msgspec.json.decode(line.rpartition(MARK)[2], type=_Ended)
    return None


def _how(status: int) -> str:
    if status >= 0:
        return f"it ends the whole process (status {status})."
    with suppress(ValueError):
        return f"it ends the whole process ({signal.Signals(-status).name})."
    return f"it ends the whole process (signal {-status})."


def main(arguments: list[str]) -> None:
    """Run the checks, and print what each came to."""
    parent, name, first, *path = arguments
    die_with_parent(int(parent))
    from ..testing.plugin_checks import CHECKS
    from ..testing.plugin_subject import NotChecked, Subject

    config = load(Path(path[0]) if path else None)
    given = next((entry.options for entry in config.plugins if entry.name == name), {})
    subject = Subject(name=name, options=given)
    for check in CHECKS[int(first) :]:
        try:
            check(subject)
            _say(_Ended("ok", ""))
        except NotChecked as reason:
            _say(_Ended("skipped", f"{reason}."))
        except ClawdBotError as error:
            _say(_Ended("failed", str(error)))
        except BaseException as error:  # noqa: BLE001 - SystemExit of a plugin among them
            _say(_Ended("failed", f"it raises {describe(error)}."))
    os._exit(0)  # what a plugin left running must not hold us up


def _say(record: _Ended) -> None:
    sys.stdout.buffer.write(b"\n" + MARK + msgspec.json.encode(record) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
