"""What a bot sends, streams, edits and deletes, with python-telegram-bot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    MessageEntity,
    ReactionTypeEmoji,
    ReplyParameters,
)
from telegram.error import BadRequest, Forbidden, RetryAfter, TelegramError

from clawdcore.testing.botapi import BotApiServer, Limits

Play = Callable[..., None]
KEYBOARD = InlineKeyboardMarkup([[InlineKeyboardButton("More", callback_data="more")]])


def one_button(**options: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton("t", **options)]])  # type: ignore[arg-type]


async def raw_call(server: BotApiServer, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
    url = f"{server.root}/bot{server.token}/{method}"
    async with aiohttp.ClientSession() as session, session.post(url, json=parameters) as response:
        answer: dict[str, Any] = await response.json()
        return answer


def test_a_reply_comes_back_whole(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        ada = server.user(5, "Ada")
        group = server.group(-1_000_000_000_005, "Desk", [ada])
        said = server.say(ada, "bonjour", group)
        sent = await bot.send_message(
            group.id,
            "<b>good</b> day @ada",
            parse_mode="HTML",
            reply_parameters=ReplyParameters(said["message_id"], quote="jour"),
            link_preview_options=LinkPreviewOptions(is_disabled=True),
            reply_markup=KEYBOARD,
        )
        assert sent.text == "good day @ada"
        assert [(e.type, e.offset, e.length) for e in sent.entities] == [
            ("bold", 0, 4),
            ("mention", 9, 4),
        ]
        assert sent.chat.type == "supergroup"
        assert sent.chat.title == "Desk"
        assert sent.from_user is not None
        assert sent.from_user.username == "clawd_bot"
        assert sent.reply_to_message is not None
        assert sent.reply_to_message.text == "bonjour"
        assert sent.quote is not None
        assert sent.quote.position == 3
        assert sent.reply_markup == KEYBOARD
        assert server.sent[0].message["message_id"] == sent.message_id
        assert server.sent[0].chat_id == group.id
        assert server.sent[0].method == "sendMessage"
        assert server.violations == []
        assert [m["message_id"] for m in server.messages(group.id)] == [1, 2]

    play(scene)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"text": ""}, "Message text is empty"),
        ({"text": " \n "}, "Text must be non-empty"),
        ({"text": "x" * 4097}, "Message is too long"),
        ({"text": "😀" * 2049}, "Message is too long"),
        ({"text": "<b>x", "parse_mode": "HTML"}, "Can't parse entities: can't find end tag"),
        ({"text": "a.", "parse_mode": "MarkdownV2"}, "Character '.' is reserved"),
        ({"text": "x", "parse_mode": "LaTeX"}, "Unsupported parse_mode"),
        ({"text": "x", "chat_id": 404}, "Chat not found"),
        ({"text": "x", "chat_id": "@nobody"}, "Chat not found"),
        ({"text": "x", "reply_parameters": ReplyParameters(99)}, "Message to be replied not found"),
        ({"text": "x", "entities": [MessageEntity("bold", 0, 2)]}, "ends after the end of the te"),
        ({"text": "x", "reply_markup": one_button()}, "text buttons are unallowed"),
        ({"text": "x", "reply_markup": one_button(callback_data="x" * 65)}, "Button_data_invalid"),
    ],
)  # fmt: skip
def test_what_telegram_refuses(play: Play, options: dict[str, Any], error: str) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        server.private(server.user(5))
        with pytest.raises(BadRequest) as caught:
            await bot.send_message(**({"chat_id": 5} | options))
        assert error.lower() in str(caught.value).lower()
        assert server.sent == []

    play(scene)


def test_limits_count_utf16_units_after_markup(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        server.private(server.user(5))
        await bot.send_message(5, "😀" * 2048)
        await bot.send_message(5, "<b>" + "&lt;" * 4096 + "</b>", parse_mode="HTML")
        assert [len(r.text) for r in server.sent] == [2048, 4096]

    play(scene)


def test_replies_to_what_is_gone(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        ada = server.user(5)
        said = server.say(ada, "x")
        server.remove(said)
        gone = ReplyParameters(said["message_id"], allow_sending_without_reply=True)
        sent = await bot.send_message(5, "anyway", reply_parameters=gone)
        assert sent.reply_to_message is None

    play(scene)


def test_who_may_be_written_to(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        ada = server.user(5)
        with pytest.raises(Forbidden, match="can't initiate conversation"):
            await bot.send_message(5, "x")
        server.set_member(server.private(ada), server.bot, "kicked")
        with pytest.raises(Forbidden, match="blocked by the user"):
            await bot.send_message(5, "x")
        server.group(-7, "Desk", bot_status="kicked")
        with pytest.raises(Forbidden, match="kicked from the group chat"):
            await bot.send_message(-7, "x")

    play(scene)


def test_topics_of_a_forum(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        ada = server.user(5)
        forum = server.group(-1_000_000_000_009, "Forum", [ada], forum=True, username="forum")
        thread = server.topic(forum, "Night")
        said = server.say(ada, "x", forum, thread=thread)
        sent = await bot.send_message("@forum", "y", message_thread_id=thread)
        assert (sent.message_thread_id, sent.is_topic_message) == (thread, True)
        reply = ReplyParameters(said["message_id"])
        sent = await bot.send_message(forum.id, "z", reply_parameters=reply)
        assert sent.message_thread_id == thread
        with pytest.raises(BadRequest, match="Message thread not found"):
            await bot.send_message(forum.id, "y", message_thread_id=12345)

    play(scene)


def test_drafts_stream_in_private_chats(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        server.private(server.user(5))
        server.group(-7, "Desk")
        for text in ("he", "hello *w*"):
            assert await bot.send_message_draft(5, 9, text, parse_mode="MarkdownV2")
        assert [r.text for r in server.drafts] == ["he", "hello w"]
        assert server.drafts[1].message["draft_id"] == 9
        assert server.drafts[1].message["entities"][0]["type"] == "bold"
        with pytest.raises(BadRequest, match="Textdraft_peer_invalid"):
            await bot.send_message_draft(-7, 9, "x")
        with pytest.raises(BadRequest, match="non-zero"):
            await bot.send_message_draft(5, 0, "x")
        with pytest.raises(BadRequest, match="too long"):
            await bot.send_message_draft(5, 9, "x" * 4097)
        assert server.sent == []

    play(scene)


def test_edits(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        said = server.say(server.user(5), "x")
        sent = await bot.send_message(5, "one", reply_markup=KEYBOARD)
        edited = await bot.edit_message_text("two", 5, sent.message_id)
        assert not isinstance(edited, bool)
        assert (edited.text, edited.reply_markup) == ("two", None)
        assert edited.edit_date is not None
        with pytest.raises(BadRequest, match="Message is not modified"):
            await bot.edit_message_text("<b></b>two", 5, sent.message_id, parse_mode="HTML")
        with pytest.raises(BadRequest, match="Message to edit not found"):
            await bot.edit_message_text("x", 5, 999)
        with pytest.raises(BadRequest, match="Message can't be edited"):
            await bot.edit_message_text("x", 5, said["message_id"])
        await bot.edit_message_reply_markup(5, sent.message_id, reply_markup=KEYBOARD)
        with pytest.raises(BadRequest, match="Message is not modified"):
            await bot.edit_message_reply_markup(5, sent.message_id, reply_markup=KEYBOARD)
        photo = await bot.send_photo(5, b"jpeg")
        with pytest.raises(BadRequest, match="There is no text in the message to edit"):
            await bot.edit_message_text("x", 5, photo.message_id)
        assert [r.text for r in server.edits] == ["two", "two"]
        assert server.sent[0].text == "one"

    play(scene)


def test_deletes(play: Play) -> None:
    now = [1_800_000_000.0]

    async def scene(server: BotApiServer, bot: Bot) -> None:
        ada = server.user(5)
        said = server.say(ada, "x")
        group = server.group(-7, "Desk", [ada])
        other = server.say(ada, "y", group)
        old = await bot.send_message(5, "old")
        assert await bot.delete_message(5, said["message_id"])
        with pytest.raises(BadRequest, match="Message to delete not found"):
            await bot.delete_message(5, said["message_id"])
        with pytest.raises(BadRequest, match="Message can't be deleted"):
            await bot.delete_message(-7, other["message_id"])
        now[0] += 48 * 3600
        with pytest.raises(BadRequest, match="can't be deleted for everyone"):
            await bot.delete_message(5, old.message_id)
        fresh = [(await bot.send_message(5, "z")).message_id for _ in range(2)]
        assert await bot.delete_messages(5, [*fresh, old.message_id, 999])
        assert [r.text for r in server.deleted] == ["x", "z", "z"]
        server.set_member(group, server.bot, "administrator")
        assert await bot.delete_message(-7, other["message_id"])

    play(scene, clock=lambda: now[0])


def test_actions_and_reactions(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        said = server.say(server.user(5), "x")
        await bot.send_chat_action(5, "typing")
        await bot.set_message_reaction(5, said["message_id"], "🔥")
        await bot.set_message_reaction(5, said["message_id"], [])
        assert server.actions[0].message == {"action": "typing"}
        assert [len(r.message["reaction"]) for r in server.reactions] == [1, 0]
        with pytest.raises(BadRequest, match="Wrong parameter action"):
            await bot.send_chat_action(5, "singing")
        with pytest.raises(BadRequest, match="Reaction_invalid"):
            await bot.set_message_reaction(5, said["message_id"], ReactionTypeEmoji("🥐"))
        with pytest.raises(BadRequest, match="Message to react not found"):
            await bot.set_message_reaction(5, 999, "🔥")

    play(scene)


def test_buttons(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        ada = server.user(5)
        server.private(ada)
        await bot.send_message(5, "choose", reply_markup=KEYBOARD)
        query_id = server.press(ada, server.sent[0], "More")
        (update,) = await bot.get_updates()
        assert update.callback_query is not None
        assert update.callback_query.id == query_id
        assert update.callback_query.data == "more"
        assert await bot.answer_callback_query(query_id, "ok")
        assert server.answers[0].message["text"] == "ok"
        with pytest.raises(BadRequest, match="Query is too old"):
            await bot.answer_callback_query(query_id)
        with pytest.raises(LookupError, match="no such button"):
            server.press(ada, server.sent[0], "Less")

    play(scene)


def test_flood_limits(play: Play) -> None:
    now = [0.0]

    async def scene(server: BotApiServer, bot: Bot) -> None:
        server.private(server.user(5))
        server.private(server.user(6))
        await bot.send_message(5, "a")
        with pytest.raises(RetryAfter) as caught:
            await bot.send_message(5, "b")
        assert caught.value._retry_after.total_seconds() == 1
        await bot.send_message(6, "c")
        now[0] += 1
        await bot.send_message(5, "d")
        assert [r.text for r in server.sent] == ["a", "c", "d"]

    play(scene, limits=Limits(chat_per_second=1), now=lambda: now[0])


def test_breaches_of_the_description_are_named_without_values(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        server.private(server.user(5))
        await bot.send_message(5, "x", api_kwargs={"colour": "secret"})
        for parameters in ({"chat_id": "5"}, {"chat_id": 5, "message_ids": "secret"}):
            assert (await raw_call(server, "deleteMessages", parameters))["error_code"] == 400
        assert server.violations == [
            "sendMessage: unknown parameter colour",
            "deleteMessages: missing parameter message_ids",
            "deleteMessages: wrong type of parameter message_ids",
        ]

    play(scene)


def test_other_methods_are_checked_and_then_not_implemented(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        with pytest.raises(TelegramError, match="sendDice is not implemented by the local server"):
            await bot.send_dice(5)
        answer = await raw_call(server, "sendDice", {})
        assert answer["description"] == "Bad Request: chat_id is empty"

    play(scene)
