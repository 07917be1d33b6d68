"""A small file by which other commands find the bot that runs: its process, and its reloads."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Final

import msgspec

STATUS_FILE: Final = "status.json"

log = logging.getLogger(__name__)


class Told(msgspec.Struct):
    """What the file says. ``failure`` is why the last reload changed nothing, or ""."""

    pid: int
    reloads: int = 0
    failure: str = ""


class Status:
    """Writes the file; without it the bot runs on, but can't be asked to reload by name."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._told = Told(os.getpid())

    def started(self) -> None:
        """The bot is up."""
        self._write()

    def reloaded(self, failure: str) -> None:
        """A reload is over."""
        self._told.reloads += 1
        self._told.failure = failure
        self._write()

    def ended(self) -> None:
        """The bot is about to end."""
        if read(self._path) == self._told:
            self._path.unlink(missing_ok=True)

    def _write(self) -> None:
        new = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            new.write_bytes(msgspec.json.encode(self._told))
            new.replace(self._path)
        except OSError as error:
            log.warning("the status file can't be written (%s)", error.strerror)


def read(path: Path) -> Told | None:
    """What the file at ``path`` says, None where it says nothing."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Told)
    except (OSError, msgspec.DecodeError):
        return None
