"""Deletions that can't be carried out are told in their chat."""

from __future__ import annotations

from typing import Any

import pytest

from clawdcore import Reply, hookimpl
from clawdcore.edge.api import Reason, Rejected, Unreachable
from clawdcore.testing import Group, Harness, User
from clawdcore.testing.telegram import Sent

GROUP = Group()
CHINESE = User(7, "Li", language="zh-hans")


class Fading:
    """Answers with what vanishes after ten seconds."""

    @hookimpl
    def register_commands(self, register: Any) -> None:
        @register("fade")
        async def fade(message: Any) -> Reply:
            """Fade"""
            return Reply(text="soon gone", delete_after=10.0)


def told(bot: Harness) -> list[Sent]:
    return [sent for sent in bot.sent if sent.text != "soon gone"]


def refused(reason: Reason = Reason.NOT_ALLOWED) -> Rejected:
    return Rejected("Bad Request: message can't be deleted", reason)


def test_one_that_stays_is_told_once() -> None:
    with Harness([Fading()]) as bot:
        bot.telegram.faults["delete"] = [refused()]
        bot.say("/fade")
        bot.advance(3600)
        (notice,) = told(bot)
        assert notice.chat == 101
        assert "could not be deleted" in notice.text


def test_several_of_a_chat_are_told_together_in_the_language_of_who_wrote_last() -> None:
    with Harness([Fading()]) as bot:
        bot.telegram.faults["delete"] = [refused(), refused(), refused()]
        bot.say("/fade", chat=GROUP)
        bot.say("/fade", chat=GROUP)
        bot.say("/fade", chat=GROUP, sender=CHINESE)
        bot.advance(60)
        (notice,) = told(bot)
        assert notice.chat == GROUP.id
        assert "3" in notice.text
        assert not notice.text.isascii()


@pytest.mark.parametrize("error", [refused(Reason.NOT_FOUND), refused(Reason.BLOCKED)])
def test_what_is_gone_already_and_where_nobody_reads_is_not_told(error: Rejected) -> None:
    with Harness([Fading()]) as bot:
        bot.telegram.faults["delete"] = [error]
        bot.say("/fade")
        bot.advance(60)
        assert told(bot) == []


def test_what_only_has_to_be_tried_again_is_not_told() -> None:
    with Harness([Fading()]) as bot:
        bot.telegram.faults["delete"] = [Unreachable("timed out", sent=True)]
        bot.say("/fade")
        bot.advance(60)
        assert told(bot) == []
        assert len(bot.deleted) == 1
