"""HTTP over real sockets: answers in pieces, connections that are kept, and what may break."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from clawdbot_vllm.http import Cut, Garbled, Pool, Response, Unreachable
from clawdbot_vllm.http.connection import HIGH, LONGEST_HEAD, PASTED
from clawdbot_vllm.http.pool import Origin

Story = Callable[["Peer", Pool], Awaitable[None]]
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
ASK = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


class Peer:
    """A server that says what a test wants: ``answers`` in turn, the last one again and again."""

    def __init__(self, *answers: bytes, close: bool = False) -> None:
        self.answers = list(answers)
        self.close = close
        self.connections = 0
        self.requests = 0
        self.writers: list[asyncio.StreamWriter] = []
        self.origin = Origin(False, "127.0.0.1", 0)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                await reader.readexactly(length)
                self.requests += 1
                writer.write(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
                if self.close:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            if self.close:
                writer.close()

    def hang_up(self) -> None:
        for writer in self.writers:
            writer.close()


@asynccontextmanager
async def listening(peer: Peer, context: ssl.SSLContext | None = None) -> AsyncIterator[None]:
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    peer.origin = Origin(context is not None, "127.0.0.1", port)
    try:
        yield
    finally:
        peer.hang_up()
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def served_by(serve: Handler, peer: Peer, pool: Pool) -> AsyncIterator[None]:
    """Another server in the peer's place; at the end the pool is closed, and then it ends."""
    tasks = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        with suppress(ConnectionError):
            await serve(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    peer.origin = Origin(False, "127.0.0.1", server.sockets[0].getsockname()[1])
    try:
        yield
    finally:
        await pool.close()
        await asyncio.gather(*tasks)
        server.close()
        await server.wait_closed()


def run(peer: Peer, story: Story) -> None:
    async def tell() -> None:
        pool = Pool()
        async with listening(peer):
            try:
                await asyncio.wait_for(story(peer, pool), 30)
            finally:
                await pool.close()

    asyncio.run(tell())


async def ask(peer: Peer, pool: Pool, *, body: bytes = b"{}", seconds: float = 10.0) -> Response:
    head = ASK.replace(b": 2", f": {len(body)}".encode())
    until = asyncio.get_running_loop().time() + seconds
    return await pool.ask(peer.origin, head, body, until)


async def all_of(response: Response) -> bytes:
    until = response.loop.time() + 10.0
    parts = []
    while part := await response.read(until):
        parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize(
    "answer",
    [
        OK,
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + OK,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1;x=y\r\ni\r\n"
        b"0\r\nTrail: er\r\n\r\n",
    ],
)
def test_an_answer_is_read_and_its_connection_kept(answer: bytes) -> None:
    async def story(peer: Peer, pool: Pool) -> None:
        for _ in range(3):
            response = await ask(peer, pool)
            assert (response.status, await all_of(response)) == (200, b"hi")
            assert response.at_eof()
            assert "trail" not in response.headers and "link" not in response.headers
            response.close()  # harmless: the connection is not its own any more
        assert (peer.connections, peer.requests) == (1, 3)

    run(Peer(answer), story)


def test_an_answer_without_a_length_ends_with_its_connection() -> None:
    async def story(peer: Peer, pool: Pool) -> None:
        for _ in range(2):
            response = await ask(peer, pool)
            assert response.content_type == "text/event-stream"
            assert await all_of(response) == b"data: 1\n\n"
        assert peer.connections == 2

    answer = b"HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream; charset=x\r\n\r\ndata: 1\n\n"
    run(Peer(answer, close=True), story)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhi",
    ],
)
def test_half_an_answer_gives_what_came_and_then_says_so(answer: bytes) -> None:
    async def story(peer: Peer, pool: Pool) -> None:
        response = await ask(peer, pool)
        until = response.loop.time() + 10.0
        assert await response.read(until) == b"hi"
        with pytest.raises(Cut):
            await response.read(until)
        with pytest.raises(Cut):
            response.read_nowait()

    run(Peer(answer, close=True), story)


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * (LONGEST_HEAD + 1),
    ],
)
def test_what_is_no_http_is_named(answer: bytes) -> None:
    async def story(peer: Peer, pool: Pool) -> None:
        with pytest.raises(Garbled):
            await ask(peer, pool)

    run(Peer(answer), story)


def test_a_second_answer_that_nobody_asked_for_ends_the_connection() -> None:
    async def story(peer: Peer, pool: Pool) -> None:
        response = await ask(peer, pool)
        assert await all_of(response) == b"hi"
        response = await ask(peer, pool)
        assert await all_of(response) == b"hi"
        assert peer.connections == 2

    run(Peer(OK + OK, OK), story)


def test_a_kept_connection_that_the_server_closed_costs_nothing() -> None:
    async def story(peer: Peer, pool: Pool) -> None:
        for wait in (0.05, 0.0):  # the pool has seen it; and it sees it while it asks
            await all_of(await ask(peer, pool))
            peer.hang_up()
            await asyncio.sleep(wait)
            assert await all_of(await ask(peer, pool)) == b"hi"
        assert peer.requests == 4

    run(Peer(OK), story)


def test_a_new_connection_that_is_closed_is_a_failure() -> None:
    async def story(peer: Peer, pool: Pool) -> None:
        with pytest.raises(Cut):
            await ask(peer, pool)
        assert peer.requests == 1

    run(Peer(b"", close=True), story)


def test_nobody_there_is_unreachable() -> None:
    async def story(peer: Peer, pool: Pool) -> None:
        peer.origin = Origin(False, "127.0.0.1", 1)
        with pytest.raises(Unreachable):
            await ask(peer, pool)

    run(Peer(OK), story)


def test_nothing_comes_in_time() -> None:
    async def story(peer: Peer, pool: Pool) -> None:
        with pytest.raises(TimeoutError):
            await ask(peer, pool, seconds=0.05)
        peer.answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"]
        response = await ask(peer, pool)
        with pytest.raises(TimeoutError):
            await response.read(response.loop.time() + 0.05)
        response.close()
        assert peer.connections == 2  # whose answer did not come is not used again

    run(Peer(b""), story)


@pytest.mark.parametrize("begun", [False, True])
def test_giving_up_ends_the_connection(begun: bool) -> None:
    async def story(peer: Peer, pool: Pool) -> None:
        gone = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"{}")
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n" if begun else b"")
            with suppress(ConnectionError):
                await reader.read()
            gone.set()

        async with served_by(serve, peer, pool):
            asking = asyncio.create_task(ask(peer, pool))
            if begun:
                (await asking).close()
            else:
                await asyncio.sleep(0.05)
                asking.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await asking
            await gone.wait()

    run(Peer(OK), story)


def test_who_reads_slowly_holds_the_sender_up() -> None:
    async def story(peer: Peer, pool: Pool) -> None:
        sent = 0

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal sent
            await reader.readuntil(b"{}")
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            for _ in range(1000):
                writer.write(b"x" * 65_536)
                await writer.drain()
                sent += 65_536

        async with served_by(serve, peer, pool):
            response = await ask(peer, pool)
            before = -1
            while sent != before:
                before = sent
                await asyncio.sleep(0.2)
            assert sent < 40_000_000  # what the two sockets' buffers take, and HIGH
            held = len(response.read_nowait())
            assert HIGH <= held < 4 * HIGH
            assert held + len(await all_of(response)) == 65_536_000

    run(Peer(OK), story)


def test_a_large_body_arrives_whole() -> None:
    async def story(peer: Peer, pool: Pool) -> None:
        for size in (PASTED, PASTED + 1, 20_000_000):
            assert await all_of(await ask(peer, pool, body=b"x" * size)) == b"hi"
        assert peer.connections == 1

    run(Peer(OK), story)


def test_an_answer_before_the_whole_body_was_sent_loses_the_connection() -> None:
    async def story(peer: Peer, pool: Pool) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            await gone.wait()

        gone = asyncio.Event()
        async with served_by(serve, peer, pool):
            response = await ask(peer, pool, body=b"x" * 50_000_000)
            assert response.status == 413
            assert pool._idle == {}
            gone.set()

    run(Peer(OK), story)


def test_many_at_once_have_a_connection_each_and_idle_ones_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("clawdbot_vllm.http.pool.KEEP_ALIVE", 0.1)

    async def story(peer: Peer, pool: Pool) -> None:
        answers = await asyncio.gather(*(ask(peer, pool) for _ in range(20)))
        assert [await all_of(each) for each in answers] == [b"hi"] * 20
        assert len(pool._origins) == peer.connections <= 20
        while pool._origins:
            await asyncio.sleep(0.02)
        assert pool._idle == {}

    run(Peer(OK), story)


def test_a_closed_pool_takes_nothing() -> None:
    async def story(peer: Peer, pool: Pool) -> None:
        peer.answers = [b"HTTP/1.1 200 OK\r\n\r\n"]
        response = await ask(peer, pool)
        await pool.close()
        with pytest.raises(Cut):
            await all_of(response)
        with pytest.raises(Unreachable):
            await ask(peer, pool)

    run(Peer(OK), story)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    key, crt = folder / "key.pem", folder / "crt.pem"
    line = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    line += ["-keyout", str(key), "-out", str(crt), "-subj", "/CN=127.0.0.1"]
    line += ["-addext", "subjectAltName=IP:127.0.0.1"]
    try:
        subprocess.run(line, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no openssl program here to make a certificate with")
    return key, crt


@pytest.mark.parametrize("trusted", [True, False])
def test_tls_is_spoken_and_the_certificate_checked(
    certificate: tuple[Path, Path], trusted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, crt = certificate
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(crt))

    async def story() -> None:
        peer, pool = Peer(OK), Pool()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(crt, key)
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        async with listening(peer, context):
            if trusted:
                assert await all_of(await ask(peer, pool)) == b"hi"
                assert await all_of(await ask(peer, pool)) == b"hi"
                assert peer.connections == 1
            else:
                with pytest.raises(Unreachable):
                    await ask(peer, pool)
            await pool.close()

    asyncio.run(story())


def test_a_reply_that_came_as_its_asker_was_cancelled_hurts_nobody() -> None:
    async def story(peer: Peer, pool: Pool) -> None:
        await all_of(await ask(peer, pool))
        waiting: Any = asyncio.create_task(ask(peer, pool))
        await asyncio.sleep(0)  # it has asked
        [connection] = pool._origins
        connection.data_received(OK)  # the answer is here, and its connection free again
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert not connection.closed

    run(Peer(OK), story)
