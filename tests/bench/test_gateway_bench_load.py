"""The load of ``make bench-gateway``, against the upstream itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from chaos_parts.site import free_port
from gateway_parts.load import measure
from gateway_parts.upstream import COMPLETION, UNKNOWN, Upstream


class Refuses(asyncio.Protocol):
    """Answers whatever comes with a 404."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(UNKNOWN[0])


class HangsUp(Refuses):
    """Closes the connection instead of an answer."""

    def data_received(self, data: bytes) -> None:
        self._transport.close()


class TakesItsTime(Refuses):
    """Answers well, and later than the round is long."""

    def data_received(self, data: bytes) -> None:
        asyncio.get_running_loop().call_later(0.7, self._transport.write, COMPLETION[0])


def found(protocol: Callable[[], asyncio.Protocol], *, stream: bool = False) -> tuple[float, int]:
    """Rate and failures of half a second, three at once."""

    async def story() -> tuple[float, int]:
        server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            got = await measure(port, 3, warm=0.0, seconds=0.5, stream=stream)
        assert (got.p50 is None) == (got.rate == 0)
        return got.rate, got.failed

    return asyncio.run(story())


def test_good_answers_are_counted_streamed_or_not() -> None:
    for stream in (False, True):
        rate, failed = found(Upstream, stream=stream)
        assert rate > 0
        assert failed == 0


def test_a_slow_system_is_waited_for_until_each_has_its_answer() -> None:
    rate, failed = found(TakesItsTime)
    assert 0 < rate <= 3 / 0.5
    assert failed == 0


def test_other_answers_and_broken_connections_fail_and_end_nothing() -> None:
    for protocol in (Refuses, HangsUp):
        rate, failed = found(protocol)
        assert rate == 0
        assert failed > 0


def test_nobody_there_is_a_failure_and_no_error() -> None:
    got = asyncio.run(measure(free_port(), 1, warm=0.0, seconds=0.1, stream=False))
    assert got.rate == 0
    assert got.p50 is None
    assert got.failed > 0
