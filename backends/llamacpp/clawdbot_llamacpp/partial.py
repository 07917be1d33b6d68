"""A file while it is being downloaded, hashed as it grows."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from .catalogue import Source
from .failures import Mismatch

BLOCK: Final = 1 << 20
"""Bytes read or written at once."""


def sha256(path: Path, size: int | None = None) -> hashlib._Hash:
    """The hash of a file, or of its first ``size`` bytes."""
    digest = hashlib.sha256()
    left = path.stat().st_size if size is None else size
    with path.open("rb") as file:
        while left > 0 and (block := file.read(min(BLOCK, left))):
            digest.update(block)
            left -= len(block)
    return digest


class Partial:
    """``NAME.partial`` beside the file that it will become.

    What an earlier run left is kept and continued: ``size`` tells how much.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(target.name + ".partial")
        self.size = self.path.stat().st_size if self.path.exists() else 0
        self._file = self.path.open("ab")
        self._digest = sha256(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()
        if self.size == 0:
            self.path.unlink(missing_ok=True)

    def write(self, data: bytes) -> None:
        """Append."""
        self._file.write(data)
        self._digest.update(data)
        self.size += len(data)

    def truncate(self, size: int) -> None:
        """Forget what lies beyond the first ``size`` bytes."""
        if size >= self.size:
            return
        self._file.flush()
        self._file.truncate(size)
        self.size = size
        self._digest = sha256(self.path, size)

    def finish(self, source: Source) -> None:
        """Become the target, if the bytes are the pinned ones.

        Raises:
            Mismatch: they are not; the partial file is removed.
        """
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        if self.size != source.size or self._digest.hexdigest() != source.sha256:
            self.path.unlink()
            raise Mismatch(f"{source.filename} came damaged")
        self.path.replace(self.target)
