"""A transport that sends an answer's head together with its first bytes."""

from __future__ import annotations

import asyncio
from typing import Any

Bytes = bytes | bytearray | memoryview


class Corked(asyncio.Transport):
    """Wraps ``inner``. uvicorn writes the head alone, which costs a system call and a packet.

    A head that nothing follows at once goes out in the loop's next round.
    """

    def __init__(self, inner: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._inner = inner
        self._loop = loop
        self._held: Bytes = b""

    def write(self, data: Bytes) -> None:
        """As :class:`asyncio.WriteTransport`."""
        if self._held:
            data, self._held = b"".join((self._held, data)), b""
        elif bytes(data[:7]) == b"HTTP/1.":
            self._held = data
            self._loop.call_soon(self._flush)
            return
        self._inner.write(data)

    def _flush(self) -> None:
        if self._held:
            data, self._held = self._held, b""
            self._inner.write(data)

    def close(self) -> None:
        """As :class:`asyncio.BaseTransport`."""
        self._flush()
        self._inner.close()

    def abort(self) -> None:
        """As :class:`asyncio.WriteTransport`."""
        self._held = b""
        self._inner.abort()

    def is_closing(self) -> bool:
        """As :class:`asyncio.BaseTransport`."""
        return self._inner.is_closing()

    def pause_reading(self) -> None:
        """As :class:`asyncio.ReadTransport`."""
        self._inner.pause_reading()

    def resume_reading(self) -> None:
        """As :class:`asyncio.ReadTransport`."""
        self._inner.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """As :class:`asyncio.BaseTransport`."""
        return self._inner.get_extra_info(name, default)
