"""A private folder for temporary files: in memory where there is such a place, and wiped.

Libraries write what people sent to temporary files (pytesseract each picture),
so that these must not reach a disk, and must go when their process went.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

MEMORY_ROOTS: Final = (Path("/dev/shm"), Path("/run/shm"))  # noqa: S108 - what is made there is private
MEMORY_TYPES: Final = ("tmpfs", "ramfs")
LEAST: Final = 32 * 2**20
"""Bytes; a smaller file system would be full after a few pictures. Docker's has 64 MiB."""
NAMES: Final = 8
"""Names to try: another user may have taken one to be in our way."""
VARIABLES: Final = ("TMPDIR", "TMP", "TEMP")
MOUNTS: Final = Path("/proc/mounts")


class Scratch:
    """A folder of one process (mode 0700), which lasts as long as this object is open.

    A lock on the folder shows others that it is in use. The kernel drops it when
    the process ends, in whatever way, and unlike process ids it means the same in
    all containers that share the file system.
    """

    def __init__(self, path: Path, lock: int, warning: str) -> None:
        self.path = path
        self.warning = warning
        """One line for the owner where files may touch a disk, else empty."""
        self._lock: int | None = lock
        self._owner = os.getpid()
        atexit.register(self.close)

    def use(self, environment: MutableMapping[str, str] = os.environ) -> None:
        """Make it the temporary folder of this process and of those it starts."""
        environment.update(variables(self.path))
        tempfile.tempdir = str(self.path)

    def part(self) -> Path:
        """A new folder in it for a child process; :func:`wipe` it when the child is gone."""
        return Path(tempfile.mkdtemp(prefix="w", dir=self.path))

    def close(self) -> None:
        """Remove it with all that is in it. May be called more than once."""
        if self._lock is None or os.getpid() != self._owner:  # a fork's copy owns nothing
            return
        atexit.unregister(self.close)
        wipe(self.path)
        os.close(self._lock)
        self._lock = None
        if tempfile.tempdir == str(self.path):
            tempfile.tempdir = None


def private_tmp(
    roots: Sequence[Path] = MEMORY_ROOTS, *, fallback: Path | None = None, mounts: Path = MOUNTS
) -> Scratch:
    """Wipe what dead processes of this user left, and make a folder for this one.

    It lies in the first of ``roots`` that is memory-backed, has :data:`LEAST`
    bytes and lets us in, else in ``fallback`` (the system's temporary folder),
    with a warning. ``mounts`` lists the mounted file systems, as proc(5) says.

    Raises:
        OSError: no folder can be made anywhere.
    """
    for root in roots:
        if memory_backed(root, mounts):
            with suppress(OSError):
                return _made(root, "")
    root = fallback or Path(tempfile.gettempdir())
    warning = (
        ""
        if memory_backed(root, mounts)
        else f"{root}: no memory-backed folder was found, so temporary files may touch the disk; "
        f"mount a tmpfs of {LEAST // 2**20} MiB or more at {MEMORY_ROOTS[0]}."
    )
    return _made(root, warning)


def variables(folder: Path) -> dict[str, str]:
    """The environment variables by which programs find their temporary folder."""
    return dict.fromkeys(VARIABLES, str(folder))


def wipe(folder: Path) -> bool:
    """Remove ``folder`` with all that is in it, following no links. Whether it is gone."""
    shutil.rmtree(folder, ignore_errors=True)
    return not os.path.lexists(folder)


def memory_backed(folder: Path, mounts: Path = MOUNTS) -> bool:
    """Whether ``folder`` lies on a file system in memory with :data:`LEAST` bytes."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        size = os.statvfs(folder)
        real = folder.resolve(strict=True)
    except OSError:
        return False
    kind, depth = "", -1
    for line in lines:
        fields = line.split()
        point = Path(fields[1].replace(r"\040", " "))
        # Of those mounted at one place the last one is seen.
        if real.is_relative_to(point) and len(point.parts) >= depth:
            kind, depth = fields[2], len(point.parts)
    return kind in MEMORY_TYPES and size.f_blocks * size.f_frsize >= LEAST


def _made(root: Path, warning: str) -> Scratch:
    chosen: Path | None = None
    for number in range(NAMES):
        base = root / (f"clawdbot-{os.getuid()}" + (f"-{number}" if number else ""))
        if chosen is None:
            with suppress(OSError):
                base.mkdir(mode=0o700)
        if _ours(base):
            with _locked(base):
                _sweep(base)
            chosen = chosen or base
    if chosen is None:
        raise PermissionError(f"{root}: all names of our folder are taken by others")
    with _locked(chosen):  # so that no sweep meets it between its making and its lock
        path = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=chosen))
        lock = _open(path)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return Scratch(path, lock, warning)


def _ours(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    private = stat.S_IMODE(found.st_mode) & 0o077 == 0
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and private


def _sweep(base: Path) -> None:
    """Remove the folders in ``base`` that no living process has locked."""
    for path in base.iterdir():
        with suppress(OSError):
            lock = _open(path)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                wipe(path)
            finally:
                os.close(lock)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    lock = _open(folder)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _open(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
