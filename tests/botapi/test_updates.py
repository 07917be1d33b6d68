"""The update queue and `getUpdates`, with python-telegram-bot and over plain HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from telegram import Bot, Update
from telegram.error import Conflict, InvalidToken, TelegramError
from telegram.request import HTTPXRequest

from clawdcore.testing.botapi import BotApiServer, PollRules
from clawdcore.testing.botapi.updates import KEPT_SECONDS, UpdateQueue

Play = Callable[..., None]
NO_RULES = PollRules.off()


async def raw_updates(server: BotApiServer, **parameters: Any) -> dict[str, Any]:
    url = f"{server.root}/bot{server.token}/getUpdates"
    async with aiohttp.ClientSession() as session, session.post(url, json=parameters) as response:
        answer: dict[str, Any] = await response.json()
        return answer


def ids(updates: tuple[Update, ...]) -> list[int]:
    return [update.update_id for update in updates]


def texts(updates: tuple[Update, ...]) -> list[str | None]:
    return [u.message.text if u.message else None for u in updates]


def test_get_me_has_a_username(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        me = await bot.get_me()
        assert (me.id, me.username, me.is_bot) == (77, "other_bot", True)
        assert me.can_read_all_group_messages is False

    play(scene, token="77:X", username="other_bot", can_read_all_group_messages=False)


def test_updates_stay_until_an_offset_confirms_them(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        ada = server.user(5, "Ada", language_code="fr")
        for text in ("a", "b", "c"):
            server.say(ada, text)
        first = await bot.get_updates()
        assert texts(first) == ["a", "b", "c"]
        assert first[0].message is not None
        assert first[0].message.from_user is not None
        assert first[0].message.from_user.language_code == "fr"
        assert ids(await bot.get_updates()) == ids(first)
        assert texts(await bot.get_updates(offset=first[1].update_id, limit=1)) == ["b"]
        assert server.pending == 2
        assert texts(await bot.get_updates(offset=-1)) == ["c"]
        assert server.pending == 1
        assert await bot.get_updates(offset=first[2].update_id + 1) == ()
        assert server.pending == 0

    play(scene, poll_rules=NO_RULES)


def test_an_offset_far_past_the_end_confirms_nothing(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        server.say(server.user(5), "a")
        assert texts(await bot.get_updates(offset=500)) == ["a"]

    play(scene, poll_rules=NO_RULES)


def test_a_long_poll_wakes_when_something_is_said(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        poll = asyncio.create_task(bot.get_updates(timeout=20))
        await server.wait(lambda: server.polling)
        server.say(server.user(5), "now")
        assert texts(await poll) == ["now"]
        assert not server.polling

    play(scene)


def test_the_same_offset_again_gives_one_update(play: Play) -> None:
    now = [0.0]

    async def scene(server: BotApiServer, bot: Bot) -> None:
        for text in ("a", "b", "c"):
            server.say(server.user(5), text)
        assert len(await bot.get_updates(offset=1)) == 3
        assert len(await bot.get_updates(offset=1)) == 1
        now[0] += 0.4
        assert len(await bot.get_updates(offset=1)) == 1
        now[0] += 0.6
        assert len(await bot.get_updates(offset=1)) == 3

    play(scene, now=lambda: now[0])


def test_a_short_poll_repeated_waits(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        assert await bot.get_updates() == ()
        poll = asyncio.create_task(bot.get_updates())
        await server.wait(lambda: server.polling)
        server.say(server.user(5), "late")
        assert texts(await poll) == ["late"]

    play(scene)


def test_a_second_poll_ends_the_first_with_409(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        first = asyncio.create_task(raw_updates(server, timeout=20))
        await server.wait(lambda: server.polling)
        second = asyncio.create_task(bot.get_updates(timeout=20))
        answer = await first
        assert answer["error_code"] == 409
        assert answer["description"] == (
            "Conflict: terminated by other getUpdates request; "
            "make sure that only one bot instance is running"
        )
        server.say(server.user(5), "for the second")
        assert texts(await second) == ["for the second"]

    play(scene)


def test_a_poll_that_need_not_wait_disturbs_nobody(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        waiting = asyncio.create_task(raw_updates(server, timeout=20))
        await server.wait(lambda: server.polling)
        assert await bot.get_updates() == ()
        server.say(server.user(5), "still here")
        assert (await waiting)["result"][0]["message"]["text"] == "still here"

    play(scene, poll_rules=NO_RULES)


def test_a_second_conflict_is_told_later(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        await bot.set_webhook("http://127.0.0.1:9/")
        clock = asyncio.get_running_loop().time
        took = []
        for _ in range(2):
            start = clock()
            assert (await raw_updates(server))["error_code"] == 409
            took.append(clock() - start)
        assert took[1] - took[0] > 0.1

    play(scene, poll_rules=PollRules(conflict_interval=0.3))


def test_an_answer_holds_four_megabytes_at_most() -> None:
    queue = UpdateQueue(("message",), lambda: 0.0, first_id=1, most=10)
    for size in (3, 2, 1):
        queue.add("message", {"text": "x" * (size * 1024 * 1024)}, key=1)
    assert [entry.id for entry in queue.take(0, 100)] == [1]
    assert [entry.id for entry in queue.take(2, 100)] == [2, 3]


def test_polling_and_webhook_exclude_each_other(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        poll = asyncio.create_task(bot.get_updates(timeout=20))
        await server.wait(lambda: server.polling)
        await bot.set_webhook("http://127.0.0.1:9/")
        with pytest.raises(Conflict, match="terminated by setWebhook"):
            await poll
        with pytest.raises(Conflict, match="use deleteWebhook to delete the webhook first"):
            await bot.get_updates()
        await bot.delete_webhook()
        assert await bot.get_updates() == ()

    play(scene, poll_rules=NO_RULES)


def test_a_wrong_token_is_401_and_an_unknown_method_404(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        async with HTTPXRequest() as request:
            other = Bot("2:OTHER", base_url=f"{server.root}/bot", request=request)
            with pytest.raises(InvalidToken):
                await other.get_me()
        async with aiohttp.ClientSession() as session:
            url = f"{server.root}/bot2:OTHER/getMe"
            async with session.get(url) as response:
                assert response.status == 401
                assert await response.json() == {
                    "ok": False,
                    "error_code": 401,
                    "description": "Unauthorized",
                }
            async with session.get(f"{server.root}/bot1:TEST/getmE") as response:
                assert (await response.json())["result"]["id"] == 1
            for path in ("/bot1:TEST/getYou", "/bot1:TEST", "/", "/file/bot1:TEST/x"):
                async with session.get(server.root + path) as response:
                    assert response.status == 404
                    assert (await response.json())["error_code"] == 404

    play(scene)


def test_only_kinds_that_the_bot_asked_for_are_queued(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        ada = server.user(5)
        said = server.say(ada, "a")
        server.react(ada, said, "🔥")
        await bot.get_updates(offset=-1, allowed_updates=["message_reaction"])
        server.say(ada, "b")
        server.react(ada, said, "🔥")
        seen = await bot.get_updates(offset=0)
        assert [u.message_reaction is not None for u in seen] == [False, True]
        await bot.get_updates(allowed_updates=[])
        server.react(ada, said, None)
        assert server.pending == 2

    play(scene, poll_rules=NO_RULES)


def test_groups_show_what_privacy_mode_lets_through(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        ada = server.user(5, username="ada")
        group = server.group(-9, "Desk", [ada])
        server.say(ada, "unaddressed", group)
        server.say(ada, "hello @Clawd_bot", group)
        server.say(ada, "/help", group)
        server.say(ada, "/help@clawd_bot", group)
        server.say(ada, "/help@other_bot", group)
        answer = await bot.send_message(-9, "yes?")
        server.say(ada, "/again", group)
        server.say(ada, "as I said", group, reply_to=answer.message_id)
        seen = await bot.get_updates()
        assert texts(seen) == ["hello @Clawd_bot", "/help@clawd_bot", "/again", "as I said"]
        assert seen[-1].message is not None
        assert seen[-1].message.reply_to_message is not None
        assert seen[-1].message.reply_to_message.text == "yes?"
        assert seen[-1].message.chat.type == "group"

    play(scene, can_read_all_group_messages=False)


def test_edits_topics_and_members_come_as_updates(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        ada = server.user(5)
        forum = server.group(-1_000_000_000_009, "Forum", [ada], forum=True)
        thread = server.topic(forum, "Night desk")
        said = server.say(ada, "helo", forum, thread=thread)
        server.edit(said, "hello @ada")
        server.set_member(forum, server.bot, "administrator")
        server.set_member(server.private(ada), server.bot, "kicked")
        message, edit, promoted, blocked = await bot.get_updates()
        assert message.message is not None
        assert message.message.is_topic_message
        assert message.message.message_thread_id == thread
        assert message.message.chat.type == "supergroup"
        assert edit.edited_message is not None
        assert edit.edited_message.text == "hello @ada"
        assert edit.edited_message.edit_date is not None
        assert edit.edited_message.message_id == said["message_id"]
        assert promoted.my_chat_member is not None
        assert promoted.my_chat_member.new_chat_member.status == "administrator"
        assert blocked.my_chat_member is not None
        assert blocked.my_chat_member.new_chat_member.status == "kicked"

    play(scene)


def test_anything_can_stand_where_an_update_should(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        server.inject_raw({"update_id": "no number", "message": []})
        server.say(server.user(5), "after")
        answer = await raw_updates(server)
        assert answer["result"][0] == {"update_id": "no number", "message": []}
        assert answer["result"][1]["message"]["text"] == "after"
        server.inject_raw(b'{"update_id": \xff')
        with pytest.raises(TelegramError):
            await bot.get_updates(offset=1)
        assert texts(await bot.get_updates(offset=1)) == ["after"]
        assert server.pending == 1

    play(scene, poll_rules=NO_RULES)


def test_updates_come_twice_again_or_in_the_wrong_order(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        ada = server.user(5)
        server.double_updates(1)
        server.say(ada, "twice")
        server.say(ada, "once")
        seen = await bot.get_updates()
        assert texts(seen) == ["twice", "twice", "once"]
        assert await bot.get_updates(offset=seen[-1].update_id + 1) == ()
        server.repeat_update(seen[0].update_id)
        assert texts(await bot.get_updates(offset=seen[-1].update_id + 1)) == ["twice"]
        server.scramble_updates(2)
        server.say(ada, "x")
        assert server.pending == 0
        server.say(ada, "y")
        assert texts(await bot.get_updates(offset=seen[-1].update_id + 1)) == ["y", "x"]
        with pytest.raises(KeyError):
            server.repeat_update(10_000)

    play(scene, poll_rules=NO_RULES)


def test_updates_are_kept_for_a_day_and_bounded() -> None:
    now = [0.0]
    queue = UpdateQueue(("message",), lambda: now[0], first_id=1, most=2)
    queue.add("message", {}, key=1)
    queue.add("message", {}, key=1)
    with pytest.raises(OverflowError, match="2 updates wait"):
        queue.add("message", {}, key=1)
    now[0] = KEPT_SECONDS + 1
    assert queue.take(0, 100) == []
    assert queue.add("message", {}, key=1) == 3
    assert json.loads(queue.take(0, 100)[0].body) == {"update_id": 3, "message": {}}
