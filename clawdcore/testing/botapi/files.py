"""Files in memory: what people attach and what the bot uploads.

Source: core.telegram.org/bots/api#file and #getfile (a bot downloads up to
20 MB; the link holds for an hour).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from .errors import JSON, bad_request

DOWNLOAD_LIMIT = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class StoredFile:
    """``size`` in bytes is what Telegram reports; it may be more than ``data`` holds."""

    file_id: str
    kind: str
    path: str
    data: bytes
    size: int
    mime: str
    name: str

    @property
    def unique_id(self) -> str:
        """The id that is the same for everybody; a bot can't download by it."""
        return f"u{self.file_id}"

    def described(self) -> JSON:
        """``file_id``, ``file_unique_id``, ``file_size``: what every kind of file has."""
        return {
            "file_id": self.file_id,
            "file_unique_id": self.unique_id,
            "file_size": self.size,
        }


class FileStore:
    """Holds up to ``max_bytes`` bytes; the oldest files go first."""

    def __init__(self, *, max_bytes: int = 512 * 1024 * 1024) -> None:
        self._max_bytes = max_bytes
        self._held = 0
        self._count = 0
        self._files: OrderedDict[str, StoredFile] = OrderedDict()
        self._paths: dict[str, str] = {}

    def add(
        self, kind: str, data: bytes, *, name: str = "", mime: str = "", size: int | None = None
    ) -> StoredFile:
        """Keep a file. ``kind`` (photo, voice, document, …) names its folder."""
        self._count += 1
        suffix = name.rpartition(".")[2] if "." in name else _SUFFIXES.get(kind, "bin")
        suffix = suffix if suffix.isascii() and suffix.isalnum() else "bin"
        stored = StoredFile(
            file_id=f"{kind}-{self._count:08d}",
            kind=kind,
            path=f"{kind}/file_{self._count}.{suffix}",
            data=data,
            size=len(data) if size is None else size,
            mime=mime or _MIMES.get(kind, "application/octet-stream"),
            name=name,
        )
        self._files[stored.file_id] = stored
        self._paths[stored.path] = stored.file_id
        self._held += len(data)
        while self._held > self._max_bytes and len(self._files) > 1:
            _, old = self._files.popitem(last=False)
            self._held -= len(old.data)
            del self._paths[old.path]
        return stored

    def get(self, file_id: str) -> StoredFile:
        """The file with this id.

        Raises:
            ApiError: 400, no such file.
        """
        stored = self._files.get(file_id)
        if stored is None:
            raise bad_request("invalid file_id")
        return stored

    def link(self, file_id: str) -> JSON:
        """The File object of `getFile`, with the path to download from.

        Raises:
            ApiError: 400, no such file, or more than 20 MB.
        """
        stored = self.get(file_id)
        if stored.size > DOWNLOAD_LIMIT:
            raise bad_request("file is too big")
        return {**stored.described(), "file_path": stored.path}

    def at_path(self, path: str) -> StoredFile | None:
        """The file behind a download link."""
        file_id = self._paths.get(path)
        return self._files.get(file_id) if file_id is not None else None


_SUFFIXES = {"photo": "jpg", "voice": "oga", "audio": "mp3", "video": "mp4"}
_MIMES = {"photo": "image/jpeg", "voice": "audio/ogg", "audio": "audio/mpeg", "video": "video/mp4"}
