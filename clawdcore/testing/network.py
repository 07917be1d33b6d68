"""Refuse the network in tests, with an error that says what to do instead."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class NetworkRefused(RuntimeError):
    """A test tried to reach a network."""

    def __init__(self, where: object, fix: str = "") -> None:
        super().__init__(
            f"this test tried to reach {where!r}. Tests have no network, nor this machine's own "
            f"ports: mark the test with @pytest.mark.network, or {fix or 'replace what connects'}."
        )


@contextmanager
def network_refused() -> Iterator[None]:
    """Within the body, connecting and looking up names raise :class:`NetworkRefused`.

    Unix sockets still work: they don't leave the machine.
    """
    real = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def connect(self: socket.socket, address: Any) -> Any:
        if self.family == socket.AF_UNIX:
            return real[0](self, address)
        raise NetworkRefused(address)

    def connect_ex(self: socket.socket, address: Any) -> Any:
        if self.family == socket.AF_UNIX:
            return real[1](self, address)
        raise NetworkRefused(address)

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        raise NetworkRefused(host)

    socket.socket.connect = connect  # type: ignore[method-assign, assignment]
    socket.socket.connect_ex = connect_ex  # type: ignore[method-assign, assignment]
    socket.getaddrinfo = getaddrinfo
    try:
        yield
    finally:
        socket.socket.connect, socket.socket.connect_ex = real[0], real[1]  # type: ignore[method-assign]
        socket.getaddrinfo = real[2]
