"""Files, chats, members and commands, with python-telegram-bot."""

from __future__ import annotations

from collections.abc import Callable

import aiohttp
import pytest
from telegram import Bot, BotCommand, BotCommandScopeChat
from telegram.error import BadRequest, TelegramError

from clawdcore.testing.botapi import BotApiServer
from clawdcore.testing.botapi.files import FileStore

Play = Callable[..., None]


def test_a_file_is_downloaded(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        ada = server.user(5)
        server.photo(ada, b"picture", caption="/ocr please")
        server.voice(ada, b"sound", duration=7)
        server.attach(ada, "document", b"%PDF", name="a.pdf", mime="application/pdf")
        photo, voice, document = [u.message for u in await bot.get_updates()]
        assert photo is not None and voice is not None and document is not None
        assert photo.caption == "/ocr please"
        assert photo.caption_entities[0].type == "bot_command"
        largest = photo.photo[-1]
        assert largest.width > photo.photo[0].width
        link = await bot.get_file(largest.file_id)
        assert bytes(await link.download_as_bytearray()) == b"picture"
        assert voice.voice is not None
        assert (voice.voice.duration, voice.voice.mime_type) == (7, "audio/ogg")
        assert document.document is not None
        assert (document.document.file_name, document.document.file_size) == ("a.pdf", 4)

    play(scene)


def test_files_over_20_mb_and_unknown_ones_are_refused(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        limit = 20 * 1024 * 1024
        for size in (limit, limit + 1):
            server.attach(server.user(5), "audio", b"x", file_size=size)
        fits, large = [u.message for u in await bot.get_updates()]
        assert fits is not None and large is not None
        assert fits.audio is not None and large.audio is not None
        assert (await bot.get_file(fits.audio.file_id)).file_size == limit
        with pytest.raises(BadRequest, match="File is too big"):
            await bot.get_file(large.audio.file_id)
        with pytest.raises(BadRequest, match="Invalid file_id"):
            await bot.get_file("nonsense")

    play(scene)


def test_files_that_the_bot_sends(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        server.private(server.user(5))
        sent = await bot.send_document(
            5, b"data", filename="a.txt", caption="*x*", parse_mode="MarkdownV2"
        )
        assert sent.document is not None
        assert sent.document.file_name == "a.txt"
        assert sent.caption_entities[0].type == "bold"
        link = await bot.get_file(sent.document.file_id)
        assert bytes(await link.download_as_bytearray()) == b"data"
        voice = await bot.send_voice(5, b"opus", duration=3)
        assert voice.voice is not None
        again = await bot.send_voice(5, voice.voice.file_id)
        assert again.voice is not None
        assert again.voice.file_unique_id == voice.voice.file_unique_id
        photo = await bot.send_photo(5, b"jpeg")
        assert len(photo.photo) == 2
        with pytest.raises(BadRequest, match="caption is too long"):
            await bot.send_photo(5, b"jpeg", caption="x" * 1025)
        with pytest.raises(BadRequest, match="File must be non-empty"):
            await bot.send_photo(5, b"")
        with pytest.raises(TelegramError, match="fetching a URL is not implemented"):
            await bot.send_photo(5, "https://a.example/x.jpg")
        assert [r.method for r in server.sent][:2] == ["sendDocument", "sendVoice"]
        assert server.violations == []

    play(scene)


def test_a_file_link_needs_the_token(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        server.voice(server.user(5), b"sound")
        url = f"{server.root}/file/bot9:OTHER/voice/file_1.oga"
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            assert response.status == 401

    play(scene)


def test_the_file_store_is_bounded() -> None:
    store = FileStore(max_bytes=10)
    first = store.add("photo", b"x" * 6)
    second = store.add("photo", b"y" * 6)
    assert store.at_path(first.path) is None
    assert store.at_path(second.path) is second


def test_chats_and_members(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        ada, bob, eve = server.user(5, "Ada"), server.user(6, "Bob"), server.user(7, "Eve")
        group = server.group(-7, "Desk", [ada], owner=bob, bot_status="administrator")
        full = await bot.get_chat(-7)
        assert (full.type, full.title) == ("group", "Desk")
        server.private(ada)
        assert (await bot.get_chat(5)).first_name == "Ada"
        statuses = [(await bot.get_chat_member(-7, user.id)).status for user in (ada, bob, eve)]
        assert statuses == ["member", "creator", "left"]
        server.set_member(group, ada, "kicked")
        server.set_member(group, bob, "restricted")
        assert (await bot.get_chat_member(-7, 5)).status == "kicked"
        assert (await bot.get_chat_member(-7, 6)).status == "restricted"
        admins = await bot.get_chat_administrators(-7)
        assert [(a.user.id, a.status) for a in admins] == [(1, "administrator")]
        assert await bot.get_chat_member_count(-7) == 2
        with pytest.raises(BadRequest, match="User not found"):
            await bot.get_chat_member(-7, 404)
        with pytest.raises(BadRequest, match="no administrators in the private chat"):
            await bot.get_chat_administrators(5)
        assert await bot.leave_chat(-7)
        with pytest.raises(TelegramError, match="not a member"):
            await bot.send_message(-7, "x")

    play(scene)


def test_the_menu_of_commands(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        here = BotCommandScopeChat(5)
        await bot.set_my_commands([("help", "What I can do")])
        await bot.set_my_commands([("hilfe", "Was ich kann")], scope=here, language_code="de")
        assert await bot.get_my_commands() == (BotCommand("help", "What I can do"),)
        assert (await bot.get_my_commands(scope=here, language_code="de"))[0].command == "hilfe"
        assert server.commands() == [{"command": "help", "description": "What I can do"}]
        assert server.commands({"type": "chat", "chat_id": 5}, "de")
        await bot.delete_my_commands()
        assert await bot.get_my_commands() == ()
        with pytest.raises(BadRequest, match="Bot_command_invalid"):
            await bot.set_my_commands([("Help me", "x")])
        with pytest.raises(BadRequest, match="Bot_command_description_invalid"):
            await bot.set_my_commands([("help", " ")])

    play(scene)
