"""What a failed call to the Bot API means, over HTTP: did it take effect, is the token bad."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from clawdcore.broker import Target
from clawdcore.edge.api import Reason, Rejected, Unreachable, Whose
from clawdcore.edge.markup import Entity
from clawdcore.edge.telegram import TelegramApi
from clawdcore.errors import TokenRefused
from clawdcore.testing.botapi import BotApiServer

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


Act = Callable[[TelegramApi, BotApiServer], Awaitable[object]]


def refusal(act: Act) -> Rejected:
    """What ``act`` is refused with by the local Bot API server."""

    async def run() -> Rejected:
        async with asyncio.timeout(20), BotApiServer() as server:
            api = TelegramApi(server.token, server.root)
            await api.open()
            try:
                with pytest.raises(Rejected) as caught:
                    await act(api, server)
                assert server.crashes == []
                return caught.value
            finally:
                await api.close()

    return asyncio.run(run())


def theirs(server: BotApiServer, chat: int = 5) -> int:
    server.user(5, "Ada")
    person = server.known_user(5)
    assert person is not None
    return int(server.say(person, "x", None if chat == 5 else chat)["message_id"])


async def ours(api: TelegramApi, server: BotApiServer) -> int:
    theirs(server)
    return await api.send(Target(chat_id=5), "one", (), preview=False)


async def edit(api: TelegramApi, message_id: int, text: str) -> None:
    await api.edit(Target(chat_id=5), message_id, text, (), preview=False)


async def same_again(api: TelegramApi, server: BotApiServer) -> None:
    await edit(api, await ours(api, server), "one")


async def edit_missing(api: TelegramApi, server: BotApiServer) -> None:
    await edit(api, await ours(api, server) + 1, "two")


async def edit_theirs(api: TelegramApi, server: BotApiServer) -> None:
    await edit(api, theirs(server), "two")


async def edit_too_long(api: TelegramApi, server: BotApiServer) -> None:
    await edit(api, await ours(api, server), "x" * 4097)


async def delete_missing(api: TelegramApi, server: BotApiServer) -> None:
    await api.delete(5, await ours(api, server) + 1)


async def react_to_nothing(api: TelegramApi, server: BotApiServer) -> None:
    await api.react(5, theirs(server) + 1, "👀")


async def react_where_it_is_off(api: TelegramApi, server: BotApiServer) -> None:
    server.group(-7, "Desk", reactions=False)
    await api.react(-7, theirs(server, -7), "👀")


async def blocked(api: TelegramApi, server: BotApiServer) -> None:
    server.group(-7, "Desk", bot_status="kicked")
    await api.send(Target(chat_id=-7), "x", (), preview=False)


async def unknown_chat(api: TelegramApi, server: BotApiServer) -> None:
    await api.send(Target(chat_id=99), "x", (), preview=False)


async def bad_entity(api: TelegramApi, server: BotApiServer) -> None:
    theirs(server)
    await api.send(Target(chat_id=5), "x", (Entity("bold", 0, 9),), preview=False)


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (same_again, Reason.NOT_MODIFIED),
        (edit_missing, Reason.NOT_FOUND),
        (edit_theirs, Reason.NOT_ALLOWED),
        (edit_too_long, Reason.TOO_LONG),
        (delete_missing, Reason.NOT_FOUND),
        (react_to_nothing, Reason.NOT_FOUND),
        (react_where_it_is_off, Reason.NO_REACTIONS),
        (blocked, Reason.BLOCKED),
        (unknown_chat, Reason.OTHER),
        (bad_entity, Reason.OTHER),
    ],
)
def test_why_telegram_says_no(act: Act, reason: Reason) -> None:
    assert refusal(act).reason is reason


def test_a_group_that_became_a_supergroup_says_where_it_went() -> None:
    async def act(api: TelegramApi, server: BotApiServer) -> None:
        server.upgrade(server.group(-7, "Desk"))
        await api.send(Target(chat_id=-7), "x", (), preview=False)

    refused = refusal(act)
    assert (refused.reason, refused.moved_to) == (Reason.MIGRATED, -1_000_000_000_007)


def test_a_probe_tells_whose_a_message_is_and_changes_nothing() -> None:
    async def run() -> None:
        async with asyncio.timeout(20), BotApiServer() as server:
            api = TelegramApi(server.token, server.root)
            await api.open()
            try:
                mine = await ours(api, server)
                found = [await api.probe(5, mine + by) for by in (0, -1, 1)]
                assert found == [Whose.OURS, Whose.OTHER, Whose.MISSING]
                assert server.edits == []
                assert await api.probe(99, 1) is Whose.UNKNOWN
            finally:
                await api.close()

    asyncio.run(run())


def test_marks_edits_and_mentions_arrive() -> None:
    async def run() -> None:
        async with asyncio.timeout(20), BotApiServer() as server:
            api = TelegramApi(server.token, server.root)
            await api.open()
            try:
                asked = theirs(server)
                entities = (Entity("text_mention", 0, 3, user=5),)
                mine = await api.send(Target(chat_id=5), "Ada: x", entities, preview=False)
                await api.edit(Target(chat_id=5), mine, "Ada: y", entities, preview=False)
                await api.typing(Target(chat_id=5))
                await api.react(5, asked, "👀")
                shown = server.edits[0].message["entities"][0]
                assert (shown["type"], shown["user"]["id"]) == ("text_mention", 5)
                assert server.actions[0].message == {"action": "typing"}
                assert server.reactions[0].message["message_id"] == asked
                await api.delete(5, mine)
                assert [record.text for record in server.deleted] == ["Ada: y"]
                assert server.violations == []
            finally:
                await api.close()

    asyncio.run(run())
