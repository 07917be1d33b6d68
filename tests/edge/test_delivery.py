"""Handing replies out, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

import pytest

from clawdcore.broker import Draft, Send, Target
from clawdcore.edge.api import CallError, FloodWait, Rejected, Unreachable
from clawdcore.edge.delivery import LANE_LIMIT, PATIENCE, Delivery
from clawdcore.edge.markup import Entity
from clawdcore.messages import Button, Keyboard, Receipt, Reply
from clawdcore.testing import FakeTelegram, VirtualLoop

Story = Callable[
    [Delivery, FakeTelegram, list[Receipt], asyncio.TaskGroup], Coroutine[None, None, None]
]


def tell(story: Story, **options: object) -> None:
    loop = VirtualLoop()

    async def run() -> None:
        telegram = FakeTelegram()
        receipts: list[Receipt] = []

        async def finished(send: Send, receipt: Receipt) -> None:
            receipts.append(receipt)

        delivery = Delivery(telegram, finished, **options)  # type: ignore[arg-type]
        async with asyncio.TaskGroup() as tasks:
            await story(delivery, telegram, receipts, tasks)
            await delivery.flushed()

    try:
        loop.run_until_complete(run())
    finally:
        loop.close()


def send(text: str, chat: int = 1, update: int = 1, notice: bool = False, **reply: object) -> Send:
    target = Target(chat_id=chat, reply_to=9, private=chat > 0)
    return Send(update, target, Reply(text=text, **reply), notice)  # type: ignore[arg-type]


def test_in_order_within_a_chat() -> None:
    async def story(d: Delivery, t: FakeTelegram, r: list[Receipt], g: asyncio.TaskGroup) -> None:
        for number in range(5):
            d.put(send(str(number), update=number), g)
        await d.flushed()
        assert [sent.text for sent in t.sent] == ["0", "1", "2", "3", "4"]
        assert [receipt.update_id for receipt in r] == [0, 1, 2, 3, 4]

    tell(story)


def test_long_text_is_split_and_only_its_first_part_quotes() -> None:
    async def story(d: Delivery, t: FakeTelegram, r: list[Receipt], g: asyncio.TaskGroup) -> None:
        d.put(send("word " * 2000), g)
        await d.flushed()
        assert len(t.sent) == 3
        assert [sent.reply_to for sent in t.sent] == [9, 0, 0]
        assert r[0].message_ids == tuple(sent.id for sent in t.sent)

    tell(story)


def test_a_flood_wait_pauses_its_chat_and_no_other() -> None:
    async def story(d: Delivery, t: FakeTelegram, r: list[Receipt], g: asyncio.TaskGroup) -> None:
        t.failures.append(FloodWait(30))
        d.put(send("slow", chat=-1), g)
        await asyncio.sleep(0)
        d.put(send("quick", chat=2), g)
        await d.flushed()
        assert [(sent.text, sent.at) for sent in t.sent] == [("quick", 0.0), ("slow", 30.0)]

    tell(story)


def test_unreachable_is_tried_again_for_an_hour_and_then_given_up() -> None:
    async def story(d: Delivery, t: FakeTelegram, r: list[Receipt], g: asyncio.TaskGroup) -> None:
        t.failures.extend([Unreachable("x", sent=False)] * 6)
        d.put(send("late", update=1), g)
        await d.flushed()
        assert [sent.text for sent in t.sent] == ["late"]
        assert t.sent[0].at == pytest.approx(1 + 2 + 4 + 8 + 15 + 15, abs=0.1)
        t.failures.extend([Unreachable("x", sent=False)] * 400)
        d.put(send("lost", update=2), g)
        await d.flushed()
        assert asyncio.get_running_loop().time() == pytest.approx(t.sent[0].at + PATIENCE, abs=20)
        t.failures.clear()
        d.put(send("next", update=3), g)
        await d.flushed()
        assert [sent.text for sent in t.sent] == ["late", "next"]
        assert [receipt.error for receipt in r] == ["", "Unreachable", ""]

    tell(story)


@pytest.mark.parametrize(("notice", "tries"), [(False, 2), (True, 1)])
def test_what_may_have_arrived_is_repeated_once_and_a_notice_never(
    notice: bool, tries: int
) -> None:
    async def story(d: Delivery, t: FakeTelegram, r: list[Receipt], g: asyncio.TaskGroup) -> None:
        t.failures.extend([Unreachable("x", sent=True)] * 5)
        d.put(send("x", notice=notice), g)
        await d.flushed()
        assert 5 - len(t.failures) == tries
        assert [receipt.error for receipt in r] == ["unknown"]

    tell(story)


def test_a_repeat_that_surely_failed_leaves_the_first_unknown() -> None:
    async def story(d: Delivery, t: FakeTelegram, r: list[Receipt], g: asyncio.TaskGroup) -> None:
        t.failures.append(Unreachable("x", sent=True))
        t.failures.extend([Unreachable("x", sent=False)] * 400)
        d.put(send("x"), g)
        await d.flushed()
        assert [receipt.error for receipt in r] == ["unknown"]

    tell(story)


@pytest.mark.parametrize("text", ["", "  \n ", "\u3000"])
def test_nothing_but_white_space_is_not_sent(text: str) -> None:
    async def story(d: Delivery, t: FakeTelegram, r: list[Receipt], g: asyncio.TaskGroup) -> None:
        d.put(send(text), g)
        await d.flushed()
        assert t.sent == []
        assert [receipt.error for receipt in r] == ["empty"]

    tell(story)


@pytest.mark.parametrize("markup", ["plain", "html"])
def test_halves_of_characters_are_replaced(markup: str) -> None:
    async def story(d: Delivery, t: FakeTelegram, r: list[Receipt], g: asyncio.TaskGroup) -> None:
        d.put(send("a\ud800b\udc00 \ud83d\ude00", format=markup), g)
        await d.flushed()
        assert t.sent[0].text == "a\ufffdb\ufffd \U0001f600"
        t.sent[0].text.encode()

    tell(story)


def test_a_reply_that_can_t_be_read_ends_only_itself() -> None:
    async def story(d: Delivery, t: FakeTelegram, r: list[Receipt], g: asyncio.TaskGroup) -> None:
        d.put(send(None, update=1), g)  # type: ignore[arg-type]
        d.show(Draft(2, Target(chat_id=1), None), g)  # type: ignore[arg-type]
        d.put(send("a <![> b", update=2, format="html"), g)
        await d.flushed()
        assert [sent.text for sent in t.sent] == ["a <![> b"]
        assert [(receipt.update_id, bool(receipt.error)) for receipt in r] == [
            (1, True),
            (2, False),
        ]

    tell(story)


def test_a_chat_that_is_paused_holds_so_many_replies_and_no_more() -> None:
    async def story(d: Delivery, t: FakeTelegram, r: list[Receipt], g: asyncio.TaskGroup) -> None:
        t.failures.append(FloodWait(30))
        d.put(send("first", update=1), g)
        await asyncio.sleep(1)
        for number in range(LANE_LIMIT + 2):
            d.put(send("more", update=2 + number), g)
        d.put(send("elsewhere", chat=2, update=999), g)
        await asyncio.sleep(1)
        refused = [receipt.update_id for receipt in r if receipt.error == "backlog"]
        assert refused == [LANE_LIMIT + 2, LANE_LIMIT + 3]
        assert [sent.text for sent in t.sent] == ["elsewhere"]
        await d.flushed()
        assert len(t.sent) == LANE_LIMIT + 2
        assert d.waiting == 0

    tell(story)


def test_refused_markup_goes_as_plain_text() -> None:
    async def story(d: Delivery, t: FakeTelegram, r: list[Receipt], g: asyncio.TaskGroup) -> None:
        t.failures.append(Rejected("can't parse entities"))
        d.put(send("<b>x</b>", format="html"), g)
        await d.flushed()
        assert (t.sent[0].text, t.sent[0].entities, r[0].error) == ("x", (), "")

    tell(story)


def test_markup_that_can_t_be_read_goes_as_it_is() -> None:
    async def story(d: Delivery, t: FakeTelegram, r: list[Receipt], g: asyncio.TaskGroup) -> None:
        d.put(send("1 <b 2", format="html"), g)
        d.put(send("<nonsense>", format="html"), g)
        await d.flushed()
        assert t.sent[-1].text == "<nonsense>"
        assert all(not receipt.error for receipt in r)

    tell(story)


def test_a_refusal_is_not_tried_again() -> None:
    async def story(d: Delivery, t: FakeTelegram, r: list[Receipt], g: asyncio.TaskGroup) -> None:
        t.failures.append(Rejected("bot was blocked by the user"))
        d.put(send("x"), g)
        await d.flushed()
        assert t.sent == []
        assert r[0].error == "Rejected"

    tell(story)


def draft(text: str, update: int = 1, chat: int = 1) -> Draft:
    return Draft(update, Target(chat_id=chat, private=chat > 0), text)


def test_drafts_are_slowed_and_the_latest_wins() -> None:
    async def story(d: Delivery, t: FakeTelegram, r: list[Receipt], g: asyncio.TaskGroup) -> None:
        for number in range(10):
            d.show(draft(f"text {number}"), g)
            await asyncio.sleep(0.1)
        await d.flushed()
        shown = [text for _, text in t.drafts]
        assert shown[0] == "text 0"
        assert shown[-1] == "text 9"
        assert len(shown) <= 3

    tell(story)


def test_a_final_answer_goes_before_its_draft() -> None:
    async def story(d: Delivery, t: FakeTelegram, r: list[Receipt], g: asyncio.TaskGroup) -> None:
        d.show(draft("a"), g)
        await asyncio.sleep(0.1)
        d.show(draft("ab"), g)
        d.put(send("abc"), g)
        await d.flushed()
        assert [text for _, text in t.drafts] == ["a"]
        assert t.sent[0].text == "abc"

    tell(story)


def test_no_drafts_in_groups_nor_when_switched_off() -> None:
    async def story(d: Delivery, t: FakeTelegram, r: list[Receipt], g: asyncio.TaskGroup) -> None:
        d.show(draft("a", chat=-1), g)
        await d.flushed()
        assert t.drafts == []

    tell(story)

    async def off(d: Delivery, t: FakeTelegram, r: list[Receipt], g: asyncio.TaskGroup) -> None:
        d.show(draft("a"), g)
        await d.flushed()
        assert t.drafts == []

    tell(off, drafts=False)


@pytest.mark.parametrize("error", [FloodWait(1), Unreachable("x", sent=True), Rejected("x")])
def test_a_draft_that_fails_is_let_go(error: CallError) -> None:
    async def story(d: Delivery, t: FakeTelegram, r: list[Receipt], g: asyncio.TaskGroup) -> None:
        async def fail(target: Target, draft_id: int, text: str) -> None:
            raise error

        t.draft = fail  # type: ignore[method-assign]
        d.show(draft("a"), g)
        await d.flushed()
        d.put(send("abc"), g)
        await d.flushed()
        assert t.sent[0].text == "abc"

    tell(story)


def test_a_flood_wait_for_drafts_ends_them_for_so_long_and_holds_up_no_answer() -> None:
    async def story(d: Delivery, t: FakeTelegram, r: list[Receipt], g: asyncio.TaskGroup) -> None:
        asked: list[float] = []

        async def refuse(target: Target, draft_id: int, text: str) -> None:
            asked.append(asyncio.get_running_loop().time())
            raise FloodWait(20)

        t.draft = refuse  # type: ignore[method-assign]
        for number in range(10):
            d.show(draft(f"text {number}"), g)
            await asyncio.sleep(1)
        d.put(send("abc"), g)
        await d.flushed()
        assert asked == [0.0]
        assert t.sent[0].at < 11
        await asyncio.sleep(10)
        d.show(draft("again"), g)
        await d.flushed()
        assert len(asked) == 2

    tell(story)


def test_many_chats_are_served_at_thirty_a_second_in_turn() -> None:
    async def story(d: Delivery, t: FakeTelegram, r: list[Receipt], g: asyncio.TaskGroup) -> None:
        for chat in range(1, 61):
            for number in range(3):
                d.put(send(str(number), chat=chat, update=chat * 10 + number), g)
        await d.flushed()
        times = [sent.at for sent in t.sent]
        assert all(late - early >= 1.0 for early, late in zip(times, times[30:], strict=False))
        assert times[-1] < 7
        assert [sent.text for sent in t.sent[:60]] == ["0"] * 60

    tell(story)


ROWS = ((Button("more", "more", plugin="p"),),)


def test_buttons_stand_under_the_last_part_and_outlive_refused_styles() -> None:
    async def story(d: Delivery, t: FakeTelegram, r: list[Receipt], g: asyncio.TaskGroup) -> None:
        d.put(send("word " * 1500, buttons=ROWS), g)
        await d.flushed()
        assert [sent.buttons for sent in t.sent] == [(), ROWS]
        t.failures.append(Rejected("can't parse entities"))
        d.put(send("<b>x</b>", format="html", buttons=ROWS), g)
        await d.flushed()
        assert (t.sent[2].entities, t.sent[2].buttons) == ((), ROWS)
        assert [receipt.error for receipt in r] == ["", ""]

    tell(story)


def test_refused_buttons_do_not_cost_the_answer() -> None:
    async def story(d: Delivery, t: FakeTelegram, r: list[Receipt], g: asyncio.TaskGroup) -> None:
        t.failures.append(Rejected("BUTTON_URL_INVALID"))
        d.put(send("x", buttons=ROWS), g)
        await d.flushed()
        assert [(sent.text, sent.buttons) for sent in t.sent] == [("x", ())]
        t.failures.extend([Rejected("no")] * 2)
        d.put(send("y", update=2, buttons=ROWS), g)
        await d.flushed()
        assert [receipt.error for receipt in r] == ["", "Rejected"]

    tell(story)


def test_a_message_that_was_looked_for_and_found_keeps_its_buttons() -> None:
    class Lossy(FakeTelegram):
        """Takes messages, and says that the connection broke."""

        async def send(
            self,
            target: Target,
            text: str,
            entities: tuple[Entity, ...],
            *,
            preview: bool,
            buttons: Keyboard = (),
        ) -> int:
            await super().send(target, text, entities, preview=preview, buttons=buttons)
            raise Unreachable("x", sent=True)

    async def run() -> None:
        receipts: list[Receipt] = []

        async def finished(send: Send, receipt: Receipt) -> None:
            receipts.append(receipt)

        telegram = Lossy()
        delivery = Delivery(telegram, finished)
        async with asyncio.TaskGroup() as tasks:
            delivery.seen(1, 1000)
            delivery.put(send("x", buttons=ROWS), tasks)
            await delivery.flushed()
        assert [(receipt.error, receipt.message_ids) for receipt in receipts] == [("", (1001,))]
        assert [sent.buttons for sent in telegram.sent] == [ROWS]

    loop = VirtualLoop()
    try:
        loop.run_until_complete(run())
    finally:
        loop.close()
