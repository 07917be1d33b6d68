"""Server-sent events: bytes in, the data of each event out. No IO here.

The format is the HTML standard's, section "Server-sent events". Names, ids and
comments are left out, since both APIs say all they say in the data.
"""

from __future__ import annotations

from typing import Final

DONE: Final = b"[DONE]"
"""The data that ends a stream of chat/completions."""
LONGEST_EVENT: Final = 1 << 20
"""Bytes of one line, and of one event's data; a token's are a few hundred."""


class EventStream:
    """Splits a stream however its bytes are cut. Lines end in LF, CR LF or CR.

    By bytes, since text may hold characters that ``str.splitlines`` splits at.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._length = 0
        self._after_cr = False
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, block: bytes) -> list[bytes]:
        """The data of the events that ``block`` completes.

        Raises:
            ValueError: a line or an event is longer than :data:`LONGEST_EVENT`.
        """
        if self._after_cr and block:
            block = block.removeprefix(b"\n")
            self._after_cr = False
        if b"\r" in block:
            self._after_cr = block.endswith(b"\r")
            block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        first, newline, rest = block.partition(b"\n")
        if first:
            self._pieces.append(first)
            self._length += len(first)
            if self._length > LONGEST_EVENT:
                raise ValueError("a line without end")
        if not newline:
            return []
        *lines, last = rest.split(b"\n")
        if len(last) > LONGEST_EVENT:
            raise ValueError("a line without end")
        found: list[bytes] = []
        self._line(b"".join(self._pieces), found)
        for line in lines:
            self._line(line, found)
        self._pieces = [last] if last else []
        self._length = len(last)
        return found

    def _line(self, line: bytes, found: list[bytes]) -> None:
        if len(line) > LONGEST_EVENT:
            raise ValueError("a line without end")
        if not line:
            if self._data:
                data = b"\n".join(self._data)
                self._data = []
                self._size = 0
                if data.strip():
                    found.append(data)
        elif line.startswith(b"data:"):
            value = line[6:] if line[5:6] == b" " else line[5:]
            self._size += len(value) + 1
            if self._size > LONGEST_EVENT + 1:
                raise ValueError("an event without end")
            self._data.append(value)
