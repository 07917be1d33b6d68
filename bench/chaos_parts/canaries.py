"""Words and bytes that no file may hold, and the search for them."""

from __future__ import annotations

import base64
import mmap
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

MEMORY: Final = frozenset({"tmpfs", "ramfs"})
"""File systems that have no disk below them."""
SHARED: Final = tuple(
    Path("/", *parts)
    for parts in (("dev", "shm"), ("var", "tmp"), ("tmp",), ("run",), ("var", "crash"))
)
"""Where a process may leave files besides its own folders."""


class Canaries:
    """What one run's messages carry: ``text`` in every one, ``picture`` and ``sound`` in files.

    ``tokens`` begins the token of every message.
    """

    def __init__(self) -> None:
        self.tokens = "k" + secrets.token_hex(4)
        self.text = "canary" + secrets.token_hex(8)
        self.picture = b"\x89CP" + secrets.token_bytes(24)
        self.sound = b"OggC" + secrets.token_bytes(24)
        self.forms: dict[str, bytes] = {}
        for name, data in (
            ("token", self.tokens.encode()),
            ("text", self.text.encode()),
            ("picture", self.picture),
            ("sound", self.sound),
        ):
            self.forms |= {f"{name} {how}".strip(): form for how, form in forms(data)}
        for name, words in (("token", self.tokens), ("text", self.text)):
            self.forms[f"{name} utf-16 le"] = words.encode("utf-16-le")
            self.forms[f"{name} utf-16 be"] = words.encode("utf-16-be")

    def photo(self) -> bytes:
        """A picture's bytes."""
        return b"\x89PNG\r\n\x1a\n" + bytes(500) + self.picture + bytes(500)

    def voice(self) -> bytes:
        """A voice note's bytes."""
        return b"OggS" + bytes(500) + self.sound + bytes(500)

    def found_in(self, data: bytes | mmap.mmap) -> list[str]:
        """Which of them are in ``data``, by name and form."""
        return [name for name, form in self.forms.items() if data.find(form) >= 0]


def forms(data: bytes) -> Iterator[tuple[str, bytes]]:
    """How bytes may be written: as they are, in hexadecimal, in Base64 at any place."""
    yield "", data
    yield "hex", data.hex().encode()
    for shift in range(3):
        # Of the first and the last group of four characters only a part is ours.
        text = base64.b64encode(b"\0" * shift + data + b"\0" * 3)
        first = 4 if shift else 0
        yield f"base64+{shift}", text[first : (shift + len(data)) // 3 * 4]


class Search:
    """Searches files that changed since ``began`` (seconds since the epoch).

    ``folders`` are searched whole, ``shared`` for what changed since. :attr:`hits` says what was
    found where,
    :attr:`files` how many files were read, :attr:`unreadable` how many could not be.
    """

    def __init__(
        self,
        canaries: Canaries,
        began: float,
        folders: Iterable[Path],
        *,
        shared: Iterable[Path] = SHARED,
    ) -> None:
        self._canaries = canaries
        self._began = began
        self._folders = tuple(folders)
        self._shared = tuple(shared)
        self._memory = memory_devices()
        self.hits: set[str] = set()
        self.files = 0
        self.bytes = 0
        self.unreadable = 0

    def everywhere(self, *, disk_only: bool = False) -> None:
        """Read every file. ``disk_only`` leaves out file systems that live in memory."""
        for folder in self._folders:
            self._walk(folder, since=0.0, disk_only=disk_only)
        if not disk_only:
            for folder in self._shared:
                self._walk(folder, since=self._began, disk_only=False)

    def handles(self, handles: Iterable[Path]) -> None:
        """Read what running processes have open on a disk, unlinked files too."""
        for handle in handles:
            self._read(handle, since=self._began, disk_only=True, follow=True)

    def _walk(self, folder: Path, *, since: float, disk_only: bool) -> None:
        for path, _, names in os.walk(folder):
            for name in names:
                self._read(Path(path, name), since=since, disk_only=disk_only)

    def _read(self, path: Path, *, since: float, disk_only: bool, follow: bool = False) -> None:
        try:
            about = path.stat(follow_symlinks=follow)
            if not stat.S_ISREG(about.st_mode) or not about.st_size or about.st_ctime < since:
                return
            if disk_only and about.st_dev in self._memory:
                return
            with path.open("rb") as file:
                data = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
            with data:
                found = self._canaries.found_in(data)
        except FileNotFoundError:
            return  # gone meanwhile: a journal of the database, somebody's temporary file
        except (OSError, ValueError):
            self.unreadable += 1
            return
        self.files += 1
        self.bytes += about.st_size
        if found:
            named = path.resolve() if follow else path
            self.hits.update(f"{name} in {named}" for name in found)


def memory_devices() -> frozenset[int]:
    """The devices (st_dev) that live in memory."""
    found = set()
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        _, place, kind, *_ = line.split()
        if kind in MEMORY:
            try:
                found.add(Path(place.replace("\\040", " ")).stat().st_dev)
            except OSError:
                continue
    return frozenset(found)
