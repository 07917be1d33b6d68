"""What can be wrong with the ledger, in words that hold no content."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from ...errors import ClawdBotError

WORDS: Final = {
    sqlite3.SQLITE_BUSY: "another program holds it",
    sqlite3.SQLITE_LOCKED: "another program holds it",
    sqlite3.SQLITE_PERM: "no rights",
    sqlite3.SQLITE_READONLY: "it can't be written",
    sqlite3.SQLITE_IOERR: "the disk fails",
    sqlite3.SQLITE_CORRUPT: "it is damaged",
    sqlite3.SQLITE_NOTADB: "it is damaged",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_CANTOPEN: "it can't be opened",
}
DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
NO_FILE: Final = "the ledger is kept in memory only: what is under way is lost with the process."


class LedgerTaken(ClawdBotError):
    """Another process has the ledger."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"another bot runs with the ledger in {folder}.",
            fix="Stop that one first, or give this one another agents.defaults.workspace.",
        )


class LedgerNewer(ClawdBotError):
    """A later version of clawdcore has written the file."""

    def __init__(self, path: Path, version: int, known: int) -> None:
        super().__init__(
            f"the ledger {path} has version {version}, and this clawdcore knows {known}.",
            fix="Install the clawdcore that wrote it or a later one, or move the file away.",
        )


class Damaged(sqlite3.DatabaseError):
    """SQLite's own check found the file damaged."""


def words(error: BaseException) -> str:
    """Why, for people: our words for SQLite's code, or the system's for its own."""
    if isinstance(error, Damaged):
        return WORDS[sqlite3.SQLITE_CORRUPT]
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        # The low byte is the code proper; what is above it only refines it.
        return WORDS.get(code & 0xFF, f"SQLite: {type(error).__name__} {code}")
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return type(error).__name__


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is what is wrong."""
    if isinstance(error, Damaged):
        return True
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF in DAMAGED


def suspension(error: BaseException) -> str:
    """The line for the owner and ``/health`` while nothing can be written."""
    why = str(error) if isinstance(error, ClawdBotError) else f"{words(error)}."
    return (
        f"the ledger can't be kept: {why} What is under way is lost if the bot is killed. "
        "Check the workspace's rights and free space; it is tried again every minute."
    )


def put_aside(name: str) -> str:
    """The line for the owner when a damaged file was replaced by a new one."""
    return (
        f"the ledger was damaged and is now {name}; a new one was begun. What was under way when "
        "the bot last stopped can't be told, and deletions and plans in it are lost."
    )
