"""The files around the ledger: its folder and rights, the lock, what was put aside."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from .failures import LedgerTaken

LEDGER_FILE: Final = "ledger.db"
LOCK_FILE: Final = "ledger.lock"
OURS: Final = 0o600
BROKEN_KEPT: Final = 7 * 24 * 3600
"""Seconds for which a damaged file stays beside the new one, for whoever looks into it."""
COMPANIONS: Final = ("", "-wal", "-shm")
"""What SQLite appends to the name of a database in WAL mode."""


def prepare(path: Path) -> None:
    """Make the folder (0700) and the file (0600), and be sure that their names are on the disk."""
    folder = path.parent
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # A folder that was made by another user and lent to us can't be changed, but used.
    with suppress(PermissionError):
        if folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
    file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, OURS)
    try:
        os.fchmod(file, OURS)
    finally:
        os.close(file)
    _keep_names(folder)


def _keep_names(folder: Path) -> None:
    """A file whose folder was never synced may have no name after a power cut."""
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def lock(folder: Path) -> int:
    """Take the folder's ledger for this process; the lock goes with the returned descriptor.

    Raises:
        LedgerTaken: another process has it.
        OSError: it can't be locked at all.
    """
    file = os.open(folder / LOCK_FILE, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, OURS)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        raise LedgerTaken(folder) from None
    except BaseException:
        os.close(file)
        raise
    return file


def unlock(file: int) -> None:
    """Let the next process have the folder's ledger."""
    os.close(file)


def set_aside(path: Path, now: float) -> str:
    """Rename a damaged ledger and what belongs to it; returns the file's new name."""
    name = f"{path.name}.broken-{int(now)}"
    # The database goes first: without it SQLite ignores what is left of the others.
    for end in COMPANIONS:
        with suppress(FileNotFoundError):
            path.with_name(path.name + end).rename(path.with_name(name + end))
    return name


def drop_old(path: Path, now: float) -> None:
    """Remove what was put aside long ago."""
    for file in path.parent.glob(f"{path.name}.broken-*"):
        with suppress(FileNotFoundError):
            if file.stat().st_mtime < now - BROKEN_KEPT:
                file.unlink()
