"""The machine: memory, disk, the bot's own folder."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import platformdirs

from ...config import Config
from .finding import Finding, Status, fail, ok, warn

MB: Final = 1_000_000
MEMORY: Final = 300 * MB
"""Bytes that the bot takes without any model, with room to work (measured: 130 to 200 MB)."""
WORKSPACE: Final = 50 * MB
"""Bytes of disk without which settings can't be kept safely."""
CACHE: Final = 2000 * MB
"""Bytes of disk that the default model takes while it is fetched: the file, and its parts."""


def memory(root: Path = Path("/")) -> list[Finding]:
    """What is available; models say what they need in a check of their own."""
    available = available_memory(root)
    if available is None:
        return [ok("this system does not tell how much memory is available")]
    shown = f"{available / MB:,.0f} MB of memory are available"
    if available < MEMORY:
        fix = f"Free some: the bot needs {MEMORY / MB:.0f} MB beside its model."
        return [warn(f"{shown}.", fix)]
    return [ok(shown)]


def available_memory(root: Path = Path("/")) -> int | None:
    """Bytes, of the machine or of the container that we are in, whichever is less.

    Read from Linux's ``/proc/meminfo`` and control group v2 below ``root``;
    None elsewhere.
    """
    group = root / "sys/fs/cgroup"
    known = [_field(root / "proc/meminfo", "MemAvailable:", 1024)]
    limit = _read(group / "memory.max").strip()
    used = _read(group / "memory.current").strip()
    if limit.isdigit() and used.isdigit():
        # Cached files count as used, but the kernel gives that memory back when asked.
        cached = _field(group / "memory.stat", "inactive_file", 1) or 0
        known.append(max(0, int(limit) - max(0, int(used) - cached)))
    return min((amount for amount in known if amount is not None), default=None)


def _field(file: Path, name: str, unit: int) -> int | None:
    """The number behind ``name`` in a file of such lines, in bytes."""
    for line in _read(file).splitlines():
        words = line.split()
        if words[:1] == [name]:
            return int(words[1]) * unit
    return None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def disk(config: Config | None, env: Mapping[str, str] = os.environ) -> list[Finding]:
    """Room in the cache, where models are kept, and in the workspace."""
    cache = Path(env.get("CLAWDBOT_CACHE") or platformdirs.user_cache_path("clawdbot"))
    found = [_room(cache.expanduser(), "the cache", CACHE, Status.WARN)]
    if config is not None:
        found.append(_room(config.workspace_path, "the workspace", WORKSPACE, Status.FAIL))
    return found


def _room(folder: Path, name: str, least: int, short: Status) -> Finding:
    free = shutil.disk_usage(_existing(folder)).free
    shown = f"{free / MB:,.0f} MB of disk are free for {name} {folder}"
    if free >= least:
        return ok(shown)
    return Finding(short, f"{shown}.", f"Free some: {least / MB:,.0f} MB are needed there.")


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    folder = folder.absolute()
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return folder


def workspace(config: Config) -> list[Finding]:
    """Whether ids and settings can be kept, and for the bot's user alone."""
    folder = config.workspace_path
    place = _existing(folder)
    if folder.exists() and not folder.is_dir():
        return [fail(f"the workspace {folder} is no folder.", "Correct agents.defaults.workspace.")]
    try:
        with tempfile.TemporaryFile(dir=place):
            writable = True
    except OSError:
        writable = False
    if not writable:
        return [
            fail(
                f"the workspace {folder} can't be written.",
                f"Let the bot's user write {place}, or set agents.defaults.workspace.",
            )
        ]
    if place != folder.absolute():
        return [ok(f"the workspace {folder} will be made at the first start")]
    mode = folder.stat().st_mode & 0o777
    if mode & 0o077:
        return [
            warn(
                f"other users may look into the workspace {folder} (mode {mode:04o}).",
                f"chmod 700 {folder}",
            )
        ]
    return [ok(f"the workspace {folder} is writable, and for its user alone")]
