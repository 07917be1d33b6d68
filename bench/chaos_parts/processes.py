"""What Linux tells of processes: children, memory, open files."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Final

PAGE: Final = os.sysconf("SC_PAGE_SIZE")
WORKER: Final = b"clawdcore.worker"


def children(pid: int) -> list[int]:
    """The process's children, [] where it has none or is gone."""
    found: list[int] = []
    for task in _listed(Path(f"/proc/{pid}/task")):
        try:
            text = (task / "children").read_text(encoding="ascii")
        except OSError:
            continue
        found += map(int, text.split())
    return found


def workers(pid: int) -> list[int]:
    """The worker processes among the children of an edge, oldest first."""
    return sorted(child for child in children(pid) if WORKER in command(child))


def command(pid: int) -> bytes:
    """The command line, b"" of one that is gone or a zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def alive(pid: int) -> bool:
    """Whether the process still runs; a zombie doesn't."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] not in "ZX"


def resident(pid: int) -> int:
    """Bytes in memory (RSS), 0 of one that is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * PAGE
    except (OSError, IndexError):
        return 0


def proportional(pid: int) -> int | None:
    """Bytes in memory, shared pages counted by their share (PSS); None where unreadable.

    A process that may not be dumped shows this to root only.
    """
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return None
    for line in text.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return None


def open_files(pid: int) -> list[Path]:
    """Handles (``/proc/PID/fd/N``) of what the process has open; [] where unreadable."""
    return _listed(Path(f"/proc/{pid}/fd"))


def threads(pid: int) -> int:
    """How many threads the process has."""
    return len(_listed(Path(f"/proc/{pid}/task")))


async def until_gone(pid: int, seconds: float) -> bool:
    """Whether the process ends within so many seconds; nothing can be awaited of a stranger."""
    ends = asyncio.get_running_loop().time() + seconds
    while alive(pid):
        if asyncio.get_running_loop().time() > ends:
            return False
        await asyncio.sleep(0.02)
    return True


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
