"""Changes of messages that are there: in order, at the chat's pace, the latest wins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

from hypothesis import given
from hypothesis import strategies as st

from clawdcore.broker import DeleteMessage, EditMessage, Send, Target
from clawdcore.edge.api import CallError, FloodWait, Reason, Rejected, Unreachable
from clawdcore.edge.delivery import Delivery
from clawdcore.edge.delivery.changes import TRIES, WAITING, Change, later
from clawdcore.messages import Button, Receipt, Reply
from clawdcore.testing import FakeTelegram, VirtualLoop

CHAT = 7
ONE = ((Button("one", "one", plugin="p"),),)
TWO = ((Button("two", "two", plugin="p"),),)
Story = Callable[[Delivery, FakeTelegram, int, asyncio.TaskGroup], Coroutine[None, None, None]]


def tell(story: Story) -> FakeTelegram:
    """The story of a message of ours that has the button "one"."""
    telegram = FakeTelegram()

    async def run() -> None:
        async def finished(send: Send, receipt: Receipt) -> None:
            assert receipt.error == ""

        delivery = Delivery(telegram, finished)
        async with asyncio.TaskGroup() as tasks:
            delivery.put(Send(1, Target(chat_id=CHAT), Reply(text="first", buttons=ONE)), tasks)
            await delivery.flushed()
            await asyncio.sleep(60)
            await story(delivery, telegram, telegram.sent[0].id, tasks)
            await delivery.flushed()
            await delivery.close()

    loop = VirtualLoop()
    try:
        loop.run_until_complete(run())
    finally:
        loop.close()
    return telegram


def now() -> float:
    return asyncio.get_running_loop().time() - 60


def test_text_and_buttons() -> None:
    async def story(d: Delivery, t: FakeTelegram, m: int, g: asyncio.TaskGroup) -> None:
        assert t.sent[0].buttons == ONE
        d.change(EditMessage(CHAT, m, "<b>second</b>", "html", TWO), g)
        await d.flushed()
        assert (t.sent[0].text, t.sent[0].buttons) == ("second", TWO)
        assert [entity.type for entity in t.sent[0].entities] == ["bold"]
        d.change(EditMessage(CHAT, m), g)
        await d.flushed()
        assert (t.sent[0].text, t.sent[0].buttons) == ("second", ())
        d.change(DeleteMessage(CHAT, m), g)
        await d.flushed()
        assert t.deleted == [(CHAT, m)]

    tell(story)


def test_changes_keep_the_chat_s_pace_and_the_latest_of_a_message_wins() -> None:
    async def story(d: Delivery, t: FakeTelegram, m: int, g: asyncio.TaskGroup) -> None:
        d.put(Send(2, Target(chat_id=CHAT), Reply(text="before")), g)
        for number in range(20):
            d.change(EditMessage(CHAT, m, f"text {number}"), g)
        d.change(EditMessage(CHAT, m, buttons=TWO), g)
        await d.flushed()
        assert [text for _, _, text in t.edits] == ["text 19"]
        assert (t.sent[0].text, t.sent[0].buttons) == ("text 19", TWO)

    tell(story)


def test_what_stands_so_already_or_is_gone_is_no_failure() -> None:
    async def story(d: Delivery, t: FakeTelegram, m: int, g: asyncio.TaskGroup) -> None:
        d.change(EditMessage(CHAT, m, buttons=ONE), g)
        d.change(EditMessage(CHAT, m + 100, "x"), g)
        d.change(DeleteMessage(CHAT, m + 100), g)
        await d.flushed()
        assert now() < 3

    telegram = tell(story)
    assert (telegram.sent[0].text, telegram.edits, telegram.deleted) == ("first", [], [])


def test_pauses_and_failures_are_waited_out_for_a_while() -> None:
    async def story(d: Delivery, t: FakeTelegram, m: int, g: asyncio.TaskGroup) -> None:
        t.faults["edit"] = [Unreachable("x", sent=True), FloodWait(20)]
        d.change(EditMessage(CHAT, m, "second"), g)
        await d.flushed()
        assert 20 <= now() < 30
        t.faults["edit"] = [Unreachable("x", sent=False)] * (TRIES + 1)
        d.change(EditMessage(CHAT, m, "third"), g)
        await d.flushed()
        assert t.faults["edit"] == [t.faults["edit"][0]]

    assert tell(story).sent[0].text == "second"


def test_a_later_change_takes_the_place_of_one_that_failed() -> None:
    async def story(d: Delivery, t: FakeTelegram, m: int, g: asyncio.TaskGroup) -> None:
        t.faults["edit"] = [FloodWait(10)]
        d.change(EditMessage(CHAT, m, "second"), g)
        await asyncio.sleep(1)
        d.change(EditMessage(CHAT, m, "third"), g)
        await d.flushed()
        assert [text for _, _, text in t.edits] == ["third"]

    tell(story)


def test_refused_styles_cost_the_styles_and_other_refusals_the_change() -> None:
    async def story(d: Delivery, t: FakeTelegram, m: int, g: asyncio.TaskGroup) -> None:
        t.faults["edit"] = [Rejected("can't parse entities")]
        d.change(EditMessage(CHAT, m, "<b>second</b>", "html", TWO), g)
        await d.flushed()
        assert (t.sent[0].text, t.sent[0].entities, t.sent[0].buttons) == ("second", (), TWO)
        refusals: list[CallError] = [Rejected("no", Reason.BLOCKED), Rejected("no")]
        for refusal in refusals:
            t.faults["edit"] = [refusal]
            d.change(EditMessage(CHAT, m, "third"), g)
            await d.flushed()

    assert tell(story).sent[0].text == "second"


def test_a_text_that_does_not_fit_is_cut() -> None:
    async def story(d: Delivery, t: FakeTelegram, m: int, g: asyncio.TaskGroup) -> None:
        d.change(EditMessage(CHAT, m, "word " * 2000), g)

    assert 4000 < len(tell(story).sent[0].text) <= 4096


def test_so_many_messages_at_most_wait_for_a_change() -> None:
    async def story(d: Delivery, t: FakeTelegram, m: int, g: asyncio.TaskGroup) -> None:
        for number in range(1, WAITING + 1):
            d.change(DeleteMessage(1000 + number, 1), g)
        d.change(EditMessage(CHAT, m, "one too many"), g)
        await d.flushed()
        d.change(EditMessage(CHAT, m, "now"), g)

    assert tell(story).sent[0].text == "now"


def test_a_chat_that_put_the_bot_out_is_waited_for_no_longer() -> None:
    async def story(d: Delivery, t: FakeTelegram, m: int, g: asyncio.TaskGroup) -> None:
        t.faults["edit"] = [FloodWait(30)]
        d.change(EditMessage(CHAT, m, "second"), g)
        await asyncio.sleep(1)
        d.drop_chat(CHAT)
        await d.flushed()
        assert now() < 2

    assert tell(story).edits == []


def test_after_the_end_nothing_is_changed() -> None:
    async def story(d: Delivery, t: FakeTelegram, m: int, g: asyncio.TaskGroup) -> None:
        await d.close()
        d.change(EditMessage(CHAT, m, "second"), g)

    assert tell(story).edits == []


EDITS = st.builds(
    EditMessage,
    st.just(CHAT),
    st.just(1),
    st.none() | st.sampled_from(["a", "b"]),
    buttons=st.sampled_from([(), ONE, TWO]),
)
CHANGES = st.lists(EDITS | st.just(DeleteMessage(CHAT, 1)), min_size=1, max_size=6)


def shown(changes: list[Change]) -> tuple[str, object] | None:
    """What a message is after these changes, one by one; None for gone."""
    text, buttons = "first", ONE
    for change in changes:
        if isinstance(change, DeleteMessage):
            return None
        text, buttons = change.text or text, change.buttons
    return text, buttons


@given(CHANGES)
def test_several_changes_in_one_come_to_the_same(changes: list[Change]) -> None:
    one: Change | None = None
    for change in changes:
        one = later(one, change)
    assert one is not None
    assert shown([one]) == shown(changes)
