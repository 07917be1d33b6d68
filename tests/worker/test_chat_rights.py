"""What plugins learn of chats, and messages that they have deleted."""

from __future__ import annotations

from typing import Any

import pytest

from clawdcore import ChatUnavailable, Context, Member, Message, hookimpl
from clawdcore.edge.api import FloodWait, Reason, Rejected, Unreachable
from clawdcore.testing import BOT, Group, Harness, User

GROUP = Group(-1007)
LIN = User(7, "Lin")


class Asker:
    """Keeps its context, and what messages found out."""

    def __init__(self) -> None:
        self.found: list[Any] = []

    @hookimpl
    def register_commands(self, register: Any, context: Context) -> None:
        self.chats = context.chats

        @register("who")
        async def who(message: Message) -> str:
            """Look up who asks"""
            self.found.append(await context.chats.member(message.chat.id, message.sender.id))
            self.found.append(await context.chats.me(message.chat.id))
            return "looked"

        @register("try")
        async def attempt(message: Message) -> str:
            """Look up, and say why not"""
            try:
                await context.chats.member(message.chat.id, message.sender.id)
            except ChatUnavailable as error:
                return str(error)
            return "looked"

        @register("delete")
        async def delete(message: Message, after: float = 0.0) -> None:
            """Delete what the command replies to"""
            assert message.reply_to is not None
            await context.chats.delete(message.chat.id, message.reply_to.id, after=after)


def test_rights_are_what_telegram_says() -> None:
    asker = Asker()
    with Harness([asker]) as bot:
        bot.admins(GROUP, LIN)
        bot.admins(GROUP, BOT.id, can_delete=True)
        bot.say("/who@clawd_bot", chat=GROUP, sender=LIN)
        assert asker.found == [Member(admin=True), Member(admin=True, can_delete=True)]
        bot.say("/who@clawd_bot", chat=GROUP)
        assert asker.found[2:] == [Member(), Member(admin=True, can_delete=True)]


def test_rights_are_asked_for_once_a_minute() -> None:
    asker = Asker()
    with Harness([asker]) as bot:
        bot.say("/who@clawd_bot", chat=GROUP, sender=LIN)
        bot.say("/who@clawd_bot", chat=GROUP, sender=LIN)
        assert bot.telegram.asked == [(GROUP.id, LIN.id), (GROUP.id, BOT.id)]
        bot.admins(GROUP, LIN)
        bot.advance(61)
        bot.say("/who@clawd_bot", chat=GROUP, sender=LIN)
        assert asker.found[-2] == Member(admin=True)
        assert len(bot.telegram.asked) == 4


def test_in_private_both_may_do_everything_and_nobody_is_asked() -> None:
    asker = Asker()
    with Harness([asker]) as bot:
        bot.say("/who")
        assert asker.found == [Member(admin=True, can_delete=True)] * 2
        assert bot.telegram.asked == []


def test_who_writes_in_the_groups_name_is_an_admin() -> None:
    asker = Asker()
    with Harness([asker]) as bot:
        bot.say("/who@clawd_bot", chat=GROUP, sender=User(GROUP.id, "Group"))
        assert asker.found[0] == Member(admin=True)


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (Rejected("chat not found", Reason.NOT_FOUND), "Telegram refused (not found)."),
        (FloodWait(7), "Telegram wants to be asked again in 7 s."),
        (Unreachable("timed out", sent=True), "Telegram did not answer."),
    ],
)
def test_what_telegram_does_not_tell_is_an_error(failure: Exception, said: str) -> None:
    with Harness([Asker()]) as bot:
        bot.telegram.faults["member"] = [failure]  # type: ignore[list-item]
        assert bot.say("/try@clawd_bot", chat=GROUP).startswith(said)
        assert bot.say("/try@clawd_bot", chat=GROUP) == "looked"


def test_an_error_that_a_plugin_lets_through_is_a_notice() -> None:
    with Harness([Asker()]) as bot:
        bot.telegram.faults["member"] = [Rejected("no", Reason.OTHER)]
        assert "about this chat" in bot.say("/who@clawd_bot", chat=GROUP)


def test_messages_of_people_are_deleted_when_it_is_time() -> None:
    with Harness([Asker()]) as bot:
        bot.say("a secret")
        bot.say("/delete 60", reply_to=bot.said[0])
        bot.advance(50)
        assert bot.deleted == []
        bot.advance(20)
        assert bot.deleted == [(bot.said[0].chat, bot.said[0].id)]


def test_messages_of_the_bot_are_deleted_at_once() -> None:
    with Harness([Asker()]) as bot:
        bot.say("/try")
        bot.say("/delete", reply_to=bot.sent[0])
        bot.advance(1)
        assert bot.deleted == [(bot.sent[0].chat, bot.sent[0].id)]


def test_in_a_group_only_who_may_deletes_what_others_wrote() -> None:
    with Harness([Asker()]) as bot:
        bot.say("one", chat=GROUP)
        bot.say("/delete@clawd_bot", chat=GROUP, reply_to=bot.said[0])
        bot.advance(1)
        assert bot.deleted == []
        bot.admins(GROUP, can_delete=True)
        bot.say("/delete@clawd_bot", chat=GROUP, reply_to=bot.said[0])
        bot.advance(1)
        assert bot.deleted == [(GROUP.id, bot.said[0].id)]


@pytest.mark.parametrize("after", [-1.0, float("nan"), 48 * 3600.0 + 1])
def test_a_deletion_has_a_time_at_which_telegram_still_deletes(after: float) -> None:
    asker = Asker()
    with Harness([asker]) as bot, pytest.raises(ValueError, match="seconds"):
        bot.loop.run_until_complete(asker.chats.delete(1, 2, after=after))
