"""What a failed call to the Bot API means, over HTTP: did it take effect, is the token bad."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from clawdcore.broker import Target
from clawdcore.edge.api import TelegramApi, Unreachable
from clawdcore.errors import TokenRefused

TOKEN = "1:TEST"
ME = b'{"ok":true,"result":{"id":1,"is_bot":true,"first_name":"b","username":"b"}}'


def http(status: str, body: bytes) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@asynccontextmanager
async def against(answer: bytes) -> AsyncIterator[TelegramApi]:
    """The API of a server that answers everything but getMe with these bytes, then hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next((int(x[15:]) for x in lines if x.startswith(b"content-length:")), 0)
        await reader.readexactly(length)
        writer.write(http("200 OK", ME) if b"/getMe" in head else answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    api = TelegramApi(TOKEN, f"http://127.0.0.1:{port}")
    try:
        await api.open()
        yield api
    finally:
        await api.close()
        server.close()
        await server.wait_closed()


def poll(api: TelegramApi) -> Awaitable[object]:
    return api.poll(0, limit=1, timeout=0)


def send(api: TelegramApi) -> Awaitable[object]:
    return api.send(Target(chat_id=7), "hi", (), preview=False)


def failure(answer: bytes, call: Callable[[TelegramApi], Awaitable[object]]) -> Exception:
    """What ``call`` raises when the server answers so."""

    async def run() -> Exception:
        async with asyncio.timeout(20), against(answer) as api:
            try:
                await call(api)
            except Exception as error:  # noqa: BLE001 - the test looks at it
                return error
        raise AssertionError("the call succeeded")

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("answer", "effect"),
    [
        (http("500 Internal Server Error", b'{"ok":false,"description":"x"}'), False),
        (http("502 Bad Gateway", b"<html>SECRET</html>"), False),
        (b"", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", True),
        (http("200 OK", b"<html>SECRET</html>"), True),
    ],
)
def test_whether_a_send_that_failed_may_have_taken_effect(answer: bytes, effect: bool) -> None:
    error = failure(answer, send)
    assert isinstance(error, Unreachable)
    assert error.sent is effect
    assert "SECRET" not in str(error)


def test_a_send_that_finds_nobody_was_never_sent() -> None:
    async def run() -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        async with against(b"") as api:
            api._bot._base_url = f"http://127.0.0.1:{port}/bot{TOKEN}"
            with pytest.raises(Unreachable) as caught:
                await send(api)
            assert not caught.value.sent

    asyncio.run(run())


@pytest.mark.parametrize(
    "answer",
    [
        http("404 Not Found", b'{"ok":false,"error_code":404,"description":"Not Found"}'),
        http("404 Not Found", b"<html>no such page</html>"),
        http("401 Unauthorized", b"<html>this proxy wants a password</html>"),
    ],
)
def test_what_a_proxy_refuses_says_nothing_about_the_token(answer: bytes) -> None:
    assert isinstance(failure(answer, poll), Unreachable)


def test_what_telegram_refuses_does() -> None:
    body = b'{"ok":false,"error_code":401,"description":"Unauthorized"}'
    assert isinstance(failure(http("401 Unauthorized", body), poll), TokenRefused)
