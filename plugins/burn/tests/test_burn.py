"""What vanishes and when, through the whole bot."""

from __future__ import annotations

from typing import Any

import pytest

from clawdbot_burn import Burn
from clawdcore import Scope
from clawdcore.testing import ADA, BOT, Group, Harness, User

GROUP = Group(-1007)
LIN = User(7, "Lin")
ANNE = User(8, "Anne", language="zh-hans")


def shown(bot: Harness) -> list[str]:
    return [sent.text for sent in bot.telegram.shown()]


def test_the_next_answer_vanishes_and_the_one_after_it_stays(burning: Harness) -> None:
    assert burning.say("/burn 60") == "My next answer to you vanishes after 1m."
    assert burning.say("one") == "echo one"
    burning.say("two")
    burning.advance(59)
    assert "echo one" in shown(burning)
    burning.advance(2)
    assert "echo one" not in shown(burning)
    assert "echo two" in shown(burning)
    assert (burning.said[1].chat, burning.said[1].id) in burning.deleted


def test_one_persons_wish_is_not_the_others(burning: Harness) -> None:
    burning.say("/burn 60")
    burning.say("hello", sender=LIN)
    burning.advance(61)
    assert "echo hello" in shown(burning)


def test_a_message_of_the_bot_vanishes_where_it_is_replied_to(burning: Harness) -> None:
    burning.say("one")
    said = burning.say("/burn 30s", reply_to=burning.sent[0])
    assert said == "That message and this one vanish after 30s."
    burning.advance(31)
    assert shown(burning) == []


def test_only_its_own_messages(burning: Harness) -> None:
    burning.say("one")
    assert "my own messages" in burning.say("/burn 30", reply_to=burning.said[0])
    burning.advance(60)
    assert burning.deleted == []


def test_in_a_chat_everything_vanishes_until_it_is_off(burning: Harness) -> None:
    said = burning.say("/burn on 10m")
    assert said == "My answers here vanish after 10m. So do the messages that they answer."
    burning.say("one")
    burning.say("/long")
    burning.advance(601)
    assert shown(burning) == []
    assert len(burning.deleted) == len(burning.said) + len(burning.sent)
    burning.say("/burn off")
    burning.say("two")
    burning.advance(3600)
    assert shown(burning)[-1] == "echo two"
    assert burning.say("/burn") == "My answers here stay."


def test_an_answer_that_vanishes_sooner_does_so(burning: Harness) -> None:
    burning.say("/burn on 1m")
    burning.say("short")
    burning.advance(11)
    assert "short" not in shown(burning)


def test_in_a_group_an_admin_decides_and_the_bot_says_what_it_lacks(burning: Harness) -> None:
    refused = burning.say("/burn@clawd_bot on 1m", chat=GROUP, sender=LIN)
    assert refused == "Only the admins of this group can change that."
    burning.admins(GROUP, LIN)
    burning.advance(61)
    said = burning.say("/burn@clawd_bot on 1m", chat=GROUP, sender=LIN)
    assert "make me an admin who may delete messages" in said
    burning.say("@clawd_bot one", chat=GROUP, sender=ANNE)
    burning.advance(61)
    assert "echo one" not in shown(burning)
    assert (GROUP.id, burning.said[-1].id) not in burning.deleted
    burning.admins(GROUP, BOT.id, can_delete=True)
    burning.advance(61)
    burning.say("@clawd_bot two", chat=GROUP, sender=ANNE)
    burning.advance(62)
    assert (GROUP.id, burning.said[-1].id) in burning.deleted


def test_in_a_group_nobody_burns_the_answers_to_others(burning: Harness) -> None:
    burning.say("@clawd_bot one", chat=GROUP, sender=ANNE)
    answer = burning.sent[0]
    said = burning.say("/burn@clawd_bot 30", chat=GROUP, sender=LIN, reply_to=answer)
    assert said == "Only the admins of this group can change that."
    burning.advance(61)
    assert burning.deleted == []
    burning.admins(GROUP, LIN)
    burning.advance(61)
    burning.say("/burn@clawd_bot 30", chat=GROUP, sender=LIN, reply_to=answer)
    burning.advance(31)
    assert (GROUP.id, answer.id) in burning.deleted


def test_what_is_held_is_forgotten(burning: Harness) -> None:
    burning.say("/burn on 1m")
    burning.say("/burn 60", sender=LIN)
    for scope in (Scope(kind="chat", id=ADA.id), Scope(kind="user", id=LIN.id)):
        held = burning.loop.run_until_complete(burning.worker.plugins.forget(scope, "failed", "zh"))
        assert [each.words for each in held] == ["回答消失的时间"]
        assert burning.loop.run_until_complete(burning.worker.plugins.forget(scope, "failed")) == ()
    burning.advance(100)
    burning.say("one")
    burning.say("two", sender=LIN)
    burning.advance(100)
    assert shown(burning)[-2:] == ["echo one", "echo two"]


@pytest.mark.parametrize("what", ["soon", "on", "on never", "3", "48h", "on 0", "60 70"])
def test_what_is_no_time_is_answered_with_how_it_goes(burning: Harness, what: str) -> None:
    said = burning.say(f"/burn {what}")
    assert "Write a time from 5s to 1d 23h" in said
    assert "Usage: /burn" in said and "Example: /burn on 10m" in said


def test_it_speaks_chinese(burning: Harness) -> None:
    assert burning.say("/burn 60", sender=ANNE) == "我给你的下一条回答会在 1m 后消失。"


def test_a_message_that_is_too_old_is_not_promised() -> None:
    class Plugin(Burn):
        def __init__(self) -> None:
            super().__init__(wall=lambda: 1e10)

    with Harness([Plugin()]) as bot:
        bot.say("/burn")
        assert "too old" in bot.say("/burn 60", reply_to=bot.sent[0])
        bot.advance(100)
        assert bot.deleted == []


def test_the_options_bound_the_time() -> None:
    entry: dict[str, Any] = {"name": "burn", "options": {"shortest": 60, "longest": 120}}
    with Harness(["burn"], config={"plugins": [entry]}) as bot:
        assert "from 1m to 2m" in bot.say("/burn 30")
        assert "after 1m 30s" in bot.say("/burn 90")


def test_of_an_album_every_part_vanishes(burning: Harness) -> None:
    burning.say("/burn on 1m")
    burning.album(b"a", b"b", b"c", text="look")
    burning.advance(61)
    parts = {(burning.said[-1].chat, said.id) for said in burning.said[-3:]}
    assert parts <= set(burning.deleted)
