"""The gateway's listening socket, which outlives the workers that serve it."""

from __future__ import annotations

import errno
import socket
from typing import Final

from ..errors import PortTaken

BACKLOG: Final = 1024
"""Connections that the kernel holds for us until a worker accepts them."""


def listen(host: str, port: int) -> list[socket.socket]:
    """Listen on every address of ``host``; 0 takes a free port, the same on all of them.

    Raises:
        PortTaken: one of them can't be had; none is held then.
    """
    opened: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in dict.fromkeys(found):
            opened.append(socket.socket(family, kind, protocol))
            chosen = opened[0].getsockname()[1] if len(opened) > 1 else port
            _bind(opened[-1], (address[0], chosen, *address[2:]))
    except OSError as error:
        for each in opened:
            each.close()
        raise PortTaken(
            f"the gateway can't listen on {host}:{port} ({_why(error)}).",
            fix="Stop what uses it, or set gateway.port and gateway.host.",
        ) from None
    return opened


def _bind(listener: socket.socket, address: tuple[object, ...]) -> None:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if listener.family == socket.AF_INET6:
        # "::" would take IPv4's port as well, and so clash with 0.0.0.0 beside it.
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listener.bind(address)
    listener.listen(BACKLOG)
    listener.setblocking(False)


def _why(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "this host's name is unknown"
    if error.errno == errno.EADDRINUSE:
        return "another program listens there"
    return (error.strerror or type(error).__name__).lower()
