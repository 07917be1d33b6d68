"""The broker across two processes of one machine: a pair of connected sockets.

A record is one frame: its length in four bytes, then msgpack. Sockets of one
machine lose nothing while both ends live; what was under way when one end dies
is lost with it, and the edge delivers it again.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections import deque
from typing import Any, Final, Generic, TypeVar

import msgspec

from .contract import ToEdge, ToWorker
from .port import Closed

log = logging.getLogger(__name__)

Out = TypeVar("Out", contravariant=True)
In = TypeVar("In", covariant=True)

FRAME_LIMIT: Final = 16 * 1024 * 1024
"""Bytes of one frame; an update or a reply is far smaller, and a file comes in pieces."""
UNREAD: Final = 1024 * 1024
"""Bytes that were received and not asked for, beyond which the other end must wait."""
UNSENT: Final = 256 * 1024
"""Bytes in our buffer beyond which a sender waits."""

_head = struct.Struct("!I")


class SocketPort(asyncio.Protocol, Generic[Out, In]):
    """One end of a pair, as :class:`~clawdcore.broker.Port`."""

    def __init__(self, kind: Any) -> None:
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder: msgspec.msgpack.Decoder[In] = msgspec.msgpack.Decoder(kind)
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._frames: deque[bytes] = deque()
        self._unread = 0
        self._held = False
        self._closed = False
        self._readable = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self.gone = asyncio.Event()
        """Set when all that was sent is out, or can't be any more."""

    async def send(self, record: Out) -> None:
        """As :meth:`Port.send`."""
        while not self._writable.is_set():
            await self._writable.wait()
        if self._closed or self._transport is None or self._transport.is_closing():
            raise Closed
        body = self._encoder.encode(record)
        if len(body) > FRAME_LIMIT:
            raise ValueError(f"a record of {len(body)} bytes is more than a frame holds")
        self._transport.write(_head.pack(len(body)) + body)

    async def receive(self) -> In:
        """As :meth:`Port.receive`. What is no record ends the connection."""
        while not self._frames:
            if self._closed:
                raise Closed
            self._readable.clear()
            await self._readable.wait()
        frame = self._frames.popleft()
        self._unread -= len(frame)
        if self._held and self._unread < UNREAD // 2 and self._transport is not None:
            self._held = False
            if not self._closed:
                self._transport.resume_reading()
        try:
            return self._decoder.decode(frame)
        except msgspec.DecodeError as error:
            log.error("what came over the broker is no record: %s", type(error).__name__)
            self._frames.clear()
            self._end()
            raise Closed from None

    def close(self) -> None:
        """As :meth:`Port.close`."""
        if self._transport is not None:
            self._transport.close()
        self._closed = True
        self._readable.set()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        assert isinstance(transport, asyncio.Transport)
        transport.set_write_buffer_limits(high=UNSENT)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        self._buffer += data
        at = 0
        while len(self._buffer) - at >= _head.size:
            (length,) = _head.unpack_from(self._buffer, at)
            if length > FRAME_LIMIT:
                log.error("a frame of %d bytes ends the connection", length)
                self._end()
                return
            stop = at + _head.size + length
            if len(self._buffer) < stop:
                break
            self._frames.append(bytes(self._buffer[at + _head.size : stop]))
            self._unread += length
            at = stop
        if at:
            del self._buffer[:at]
            self._readable.set()
        if self._unread > UNREAD and not self._held and self._transport is not None:
            self._held = True
            self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        self._closed = True
        self._readable.set()
        self._writable.set()
        self.gone.set()

    def pause_writing(self) -> None:
        """Called by the event loop."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Called by the event loop."""
        self._writable.set()

    def _end(self) -> None:
        if self._transport is not None:
            self._transport.abort()
        self._closed = True
        self._readable.set()
        self._writable.set()


async def edge_end(sock: socket.socket) -> SocketPort[ToWorker, ToEdge]:
    """The edge's end of a connected socket, which then belongs to the port."""
    loop = asyncio.get_running_loop()
    _, port = await loop.create_unix_connection(
        lambda: SocketPort[ToWorker, ToEdge](ToEdge), sock=sock
    )
    return port


async def worker_end(sock: socket.socket) -> SocketPort[ToEdge, ToWorker]:
    """The worker's end of a connected socket, which then belongs to the port."""
    loop = asyncio.get_running_loop()
    _, port = await loop.create_unix_connection(
        lambda: SocketPort[ToEdge, ToWorker](ToWorker), sock=sock
    )
    return port
