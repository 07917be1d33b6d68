"""Would the plugins load? Asked in a process of its own, before a running bot is touched."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from ..config import load
from ..edge.child import without_token
from ..errors import ClawdBotError
from ..privacy import describe, set_up_logging
from ..process import die_with_parent, harden, python
from .checks.plugins import load_all

PATIENCE: Final = 60.0
"""Seconds that all plugins may take to load."""


async def broken(path: Path | None) -> dict[str, str]:
    """The listed plugins that can't be loaded, and why, with the configuration at ``path``.

    Raises:
        TrialFailed: the process that tried came to no end that says so.
    """
    arguments = [str(os.getpid()), *([str(path)] if path is not None else [])]
    process = await asyncio.create_subprocess_exec(
        *python(), __name__, *arguments,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        env=without_token(),
    )  # fmt: skip
    try:
        async with asyncio.timeout(PATIENCE):
            output, _ = await process.communicate()
        return msgspec.json.decode(output.rpartition(MARK)[2], type=dict[str, str])
    except TimeoutError:
        raise TrialFailed(
            f"the plugins did not load within {PATIENCE:g} s.", fix="Look at the one added last."
        ) from None
    except msgspec.DecodeError:
        raise TrialFailed(
            f"the plugins end the process that loads them (status {process.returncode}).",
            fix="Look at the one added last.",
        ) from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


class TrialFailed(ClawdBotError):
    """The plugins bring down, or hold up, whoever loads them."""


MARK: Final = b"\x1e"
"""Stands before the answer, after whatever plugins print when they are imported."""


def main(arguments: list[str]) -> None:
    """Print the answer of :func:`broken` as JSON."""
    parent, *path = arguments
    harden()
    die_with_parent(int(parent))
    set_up_logging(debug=False)
    loaded = load_all(load(Path(path[0]) if path else None))
    reasons = {
        name: str(error) if isinstance(error, ClawdBotError) else describe(error)
        for name, error in loaded.tables.disabled.items()
    }
    sys.stdout.buffer.write(MARK + msgspec.json.encode(reasons))
    sys.stdout.buffer.flush()
    os._exit(0)  # nothing was started; threads of plugins must not hold us up


if __name__ == "__main__":
    main(sys.argv[1:])
