"""What groups get: merged answers, answers that grow, edits, marks; on virtual time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine

import msgspec
import pytest

from clawdcore.broker import Draft, Send, Target
from clawdcore.edge.api import CallError, FloodWait, Reason, Rejected, Unreachable
from clawdcore.edge.delivery import LANE_LIMIT, Delivery, Pace
from clawdcore.edge.delivery.marks import MARK_DELAY, REFUSED_FOR, TYPING_EVERY, TYPING_LIMIT
from clawdcore.edge.delivery.merging import SEPARATOR
from clawdcore.edge.delivery.streams import EDIT_PAUSE, FIRST_UNITS
from clawdcore.edge.markup import Entity
from clawdcore.messages import Button, Keyboard, Receipt, Reply
from clawdcore.testing import FakeTelegram, VirtualLoop

GROUP = -1_000_000_000_009
LONG = "word " * FIRST_UNITS


class Play:
    """A delivery on a Telegram in memory, and what came of it."""

    def __init__(self, telegram: FakeTelegram, **options: object) -> None:
        self.telegram = telegram
        self.receipts: list[Receipt] = []
        self.sending: list[tuple[int, int]] = []
        self.delivery = Delivery(
            telegram,
            self._finished,
            sending=self._sending,
            **options,  # type: ignore[arg-type]
        )

    async def _finished(self, send: Send, receipt: Receipt) -> None:
        self.receipts.append(receipt)

    async def _sending(self, send: Send, floor: int) -> None:
        self.sending.append((send.id, floor))

    @property
    def texts(self) -> list[str]:
        return [sent.text for sent in self.telegram.sent]

    @property
    def errors(self) -> list[str]:
        return [receipt.error for receipt in self.receipts]


Story = Callable[[Play, asyncio.TaskGroup], Coroutine[None, None, None]]


def tell(story: Story, telegram: FakeTelegram | None = None, **options: object) -> None:
    loop = VirtualLoop()

    async def run() -> None:
        play = Play(telegram or FakeTelegram(), **options)
        async with asyncio.TaskGroup() as tasks:
            await story(play, tasks)
            await play.delivery.flushed()
            await play.delivery.close()

    try:
        loop.run_until_complete(run())
    finally:
        loop.close()


def now() -> float:
    return asyncio.get_running_loop().time()


def send(
    number: int,
    text: str = "yes",
    *,
    chat: int = GROUP,
    asker: int | None = None,
    notice: bool = False,
    streamed: bool = False,
    edited: bool = False,
    asked: int | None = None,
    **reply: object,
) -> Send:
    return Send(
        number,
        Target(chat_id=chat, reply_to=number if asked is None else asked, private=chat > 0),
        Reply(text=text, **reply),  # type: ignore[arg-type]
        notice=notice,
        asker=number if asker is None else asker,
        name=f"User {number}",
        streamed=streamed,
        edited=edited,
    )


def draft(number: int, text: str) -> Draft:
    return Draft(number, Target(chat_id=GROUP, reply_to=number, private=False), text)


# ---- merging ----


def test_answers_that_would_have_to_wait_go_as_one_message() -> None:
    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        for number in range(1, 9):
            p.delivery.put(send(number), g)
        await p.delivery.flushed()
        assert len(p.telegram.sent) == 1
        sent = p.telegram.sent[0]
        assert sent.reply_to == 1
        assert sent.text.startswith(f"yes{SEPARATOR}User 2:\nyes")
        assert [entity.user for entity in sent.entities] == list(range(2, 9))
        assert [r.update_id for r in p.receipts] == list(range(1, 9))
        assert {r.message_ids for r in p.receipts} == {(sent.id,)}
        assert p.sending == [(number, 0) for number in range(1, 9)]

    tell(story)


def test_the_answers_of_one_generation_are_one_message_also_in_a_quiet_group() -> None:
    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        rows = [((Button("More", "more", str(n), plugin="p"),),) for n in (1, 2)]
        for number, row in enumerate(rows, start=1):
            answer = msgspec.structs.replace(send(number), shared=True)
            reply = msgspec.structs.replace(answer.reply, buttons=row)
            p.delivery.put(msgspec.structs.replace(answer, reply=reply), g)
            await asyncio.sleep(0.02)
        await p.delivery.flushed()
        assert p.texts == [f"yes{SEPARATOR}↑ User 2"]
        assert p.telegram.sent[0].buttons == rows[0]
        assert [entity.user for entity in p.telegram.sent[0].entities] == [2]
        assert [r.update_id for r in p.receipts] == [1, 2]

    tell(story)


def test_two_answers_in_a_quiet_group_stay_two() -> None:
    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        p.delivery.put(send(1), g)
        p.delivery.put(send(2), g)
        await p.delivery.flushed()
        assert p.texts == ["yes", "yes"]

    tell(story)


def test_answers_that_nobody_saw_grow_are_merged_and_the_one_that_was_seen_is_not() -> None:
    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        p.delivery.show(draft(1, LONG), g)
        await asyncio.sleep(2)
        for number in range(1, 9):
            p.delivery.put(send(number, f"answer {number}", streamed=True), g)
        await p.delivery.flushed()
        assert p.texts[0] == "answer 1"
        assert len(p.texts) == 2
        assert p.errors == [""] * 8

    tell(story)


def test_nothing_is_merged_in_private() -> None:
    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        for number in range(1, 9):
            p.delivery.put(send(number, chat=5), g)
        await p.delivery.flushed()
        assert p.texts == ["yes"] * 8

    tell(story)


def test_a_merged_message_that_is_refused_goes_in_parts_and_is_announced_once() -> None:
    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        p.telegram.failures += [Rejected("no"), Rejected("no")]
        for number in range(1, 6):
            p.delivery.put(send(number, f"answer {number}"), g)
        await p.delivery.flushed()
        assert p.texts == [f"answer {number}" for number in range(1, 6)]
        assert [sent.reply_to for sent in p.telegram.sent] == [1, 2, 3, 4, 5]
        assert p.errors == [""] * 5
        assert [number for number, _ in p.sending] == [1, 2, 3, 4, 5]

    tell(story)


def test_a_quoted_message_that_is_gone_does_not_lose_the_others() -> None:
    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        gone = Rejected("message to be replied not found", Reason.NOT_FOUND)
        p.telegram.failures.append(gone)
        for number in range(1, 6):
            p.delivery.put(send(number), g)
        await p.delivery.flushed()
        assert [sent.reply_to for sent in p.telegram.sent] == [0]
        assert p.errors == [""] * 5

    tell(story)


class Lossy(FakeTelegram):
    """The answer to the first send gets lost; the message is there if ``arrives``."""

    def __init__(self, *, arrives: bool) -> None:
        super().__init__()
        self.arrives = arrives
        self.calls = 0

    async def send(
        self,
        target: Target,
        text: str,
        entities: tuple[Entity, ...],
        *,
        preview: bool,
        buttons: Keyboard = (),
    ) -> int:
        self.calls += 1
        if self.calls > 1:
            return await super().send(target, text, entities, preview=preview, buttons=buttons)
        if self.arrives:
            await super().send(target, text, entities, preview=preview, buttons=buttons)
        raise Unreachable("x", sent=True)


@pytest.mark.parametrize(
    ("arrives", "reads_all", "floor", "notices", "sends"),
    [
        (True, False, 1000, "", 1),  # found by its id
        (False, True, 1000, "", 2),  # surely not there
        (False, False, 1000, "unknown", 2),  # others may have written what the bot can't see
        (False, True, 0, "unknown", 2),  # no id is known
    ],
)
def test_a_merged_message_whose_sending_was_not_confirmed(
    arrives: bool, reads_all: bool, floor: int, notices: str, sends: int
) -> None:
    telegram = Lossy(arrives=arrives)

    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        p.delivery.reads_all = reads_all
        if floor:
            p.delivery.seen(GROUP, floor)
        for number in range(1, 6):
            p.delivery.put(send(number, notice=number % 2 == 0), g)
        await p.delivery.flushed()
        errors = {r.update_id: r.error for r in p.receipts}
        assert errors == {1: "", 2: notices, 3: "", 4: notices, 5: ""}
        assert len(p.telegram.sent) == 1
        assert telegram.calls == sends
        assert set(p.sending) == {(number, floor) for number in range(1, 6)}

    tell(story, telegram)


@pytest.mark.parametrize(("notice", "calls"), [(True, 1), (False, 2)])
def test_what_a_later_send_of_a_doubtful_chat_proves(notice: bool, calls: int) -> None:
    """The first message of a chat that stays unknown must not be taken for the second one."""

    class Unsure(FakeTelegram):
        tried = 0

        async def send(
            self,
            target: Target,
            text: str,
            entities: tuple[Entity, ...],
            *,
            preview: bool,
            buttons: Keyboard = (),
        ) -> int:
            self.tried += 1
            if text == "first":
                self.faults["probe"] = [Unreachable("x", sent=True)] * 3
                await super().send(target, text, entities, preview=preview, buttons=buttons)
            raise Unreachable("x", sent=True)

    telegram = Unsure()

    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        p.delivery.seen(5, 1000)
        p.delivery.put(send(1, "first", chat=5, notice=True), g)
        await p.delivery.flushed()
        p.delivery.put(send(2, "second", chat=5, notice=notice), g)
        await p.delivery.flushed()
        assert p.errors == ["unknown", "unknown"]
        assert telegram.tried == 1 + calls

    tell(story, telegram)


def test_whether_a_message_arrived_before_a_crash() -> None:
    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        private = Target(chat_id=5)
        assert await p.delivery.arrived(5, 1000, private=True) is False
        await p.telegram.send(private, "from an earlier run", (), preview=False)
        assert await p.delivery.arrived(5, 1000, private=True) is True
        assert await p.delivery.arrived(5, 1000, private=True) is True  # merged with the first
        assert await p.delivery.arrived(5, 1001, private=True) is False
        assert await p.delivery.arrived(5, 0, private=True) is None
        assert await p.delivery.arrived(GROUP, 1000, private=False) is None
        p.delivery.seen(GROUP, 1003)
        assert await p.delivery.arrived(GROUP, 1000, private=False) is False
        p.telegram.faults["probe"] = [Unreachable("x", sent=True)] * 3
        assert await p.delivery.arrived(6, 1000, private=True) is None

    tell(story)


def test_a_flood_in_a_group_is_answered_within_ten_seconds() -> None:
    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        put: dict[int, float] = {}
        for number in range(1, 501):
            put[number] = now()
            p.delivery.put(send(number, "x" * 650, asker=number % 30 + 1), g)
            await asyncio.sleep(0.6)
        await p.delivery.flushed()
        assert p.errors == [""] * 500
        sent = {s.id: s.at for s in p.telegram.sent}
        waits = [sent[r.message_ids[0]] - put[r.update_id] for r in p.receipts]
        assert max(waits) < 10
        assert len(sent) <= 102

    tell(story)


def test_a_group_holds_more_short_answers_than_messages_but_not_endlessly() -> None:
    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        p.telegram.failures.append(FloodWait(60))
        p.delivery.put(send(1), g)
        await asyncio.sleep(1)
        for number in range(2, 2000):
            p.delivery.put(send(number), g)
        await asyncio.sleep(1)
        assert set(p.errors) == {"backlog"}
        assert p.delivery.waiting == 5 * LANE_LIMIT + 1
        assert p.receipts[0].update_id == 5 * LANE_LIMIT + 2

    tell(story)


# ---- answers that grow ----


def test_a_group_sees_one_message_that_is_edited_until_it_is_the_answer() -> None:
    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        p.delivery.show(draft(1, "word"), g)
        await asyncio.sleep(1)
        assert p.texts == []
        for number in range(1, 40):
            p.delivery.show(draft(1, LONG + "more " * number), g)
            await asyncio.sleep(0.5)
        p.delivery.put(send(1, LONG + "end", streamed=True), g)
        await p.delivery.flushed()
        assert p.texts == [LONG + "end"]
        assert p.telegram.sent[0].reply_to == 1
        assert len(p.telegram.edits) <= 20 / EDIT_PAUSE + 1
        assert p.receipts[0].message_ids == (p.telegram.sent[0].id,)

    tell(story)


def test_an_answer_that_grew_longer_than_a_message_goes_on_in_the_next() -> None:
    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        p.delivery.show(draft(1, LONG), g)
        await asyncio.sleep(1)
        p.delivery.put(send(1, "word " * 1500, streamed=True), g)
        await p.delivery.flushed()
        assert len(p.telegram.sent) == 2
        assert [sent.reply_to for sent in p.telegram.sent] == [1, 0]
        assert len(p.receipts[0].message_ids) == 2

    tell(story)


def test_the_answer_of_the_next_worker_goes_into_the_same_message() -> None:
    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        p.delivery.show(draft(1, LONG), g)
        await asyncio.sleep(1)
        p.delivery.show(draft(1, LONG + "half"), g)
        p.delivery.gone(1)
        await p.delivery.flushed()
        p.delivery.show(draft(1, LONG + "again"), g)
        await asyncio.sleep(EDIT_PAUSE + 1)
        p.delivery.put(send(1, "whole", streamed=True), g)
        await p.delivery.flushed()
        assert p.texts == ["whole"]
        assert p.telegram.edits[-1][2] == "whole"

    tell(story)


def test_a_notice_replaces_what_was_half_written() -> None:
    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        p.delivery.show(draft(1, LONG), g)
        await asyncio.sleep(1)
        p.delivery.put(send(1, "failed", notice=True), g)
        await p.delivery.flushed()
        assert p.texts == ["failed"]

    tell(story)


@pytest.mark.parametrize(
    "fault",
    [FloodWait(2), Unreachable("x", sent=True), Unreachable("x", sent=False)],
)
def test_the_last_edit_is_tried_again(fault: CallError) -> None:
    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        p.delivery.show(draft(1, LONG), g)
        await asyncio.sleep(1)
        p.telegram.faults["edit"] = [fault] * 3
        p.delivery.put(send(1, "end", streamed=True), g)
        await p.delivery.flushed()
        assert p.texts == ["end"]
        assert p.errors == [""]

    tell(story)


def test_a_message_that_was_deleted_while_it_grew_is_sent_anew() -> None:
    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        p.delivery.show(draft(1, LONG), g)
        await asyncio.sleep(1)
        await p.telegram.delete(GROUP, p.telegram.sent[0].id)
        p.delivery.put(send(1, "end", streamed=True), g)
        await p.delivery.flushed()
        assert p.texts[1:] == ["end"]
        assert p.receipts[0].message_ids == (p.telegram.sent[1].id,)

    tell(story)


def test_nothing_grows_while_answers_wait_nor_when_it_is_off() -> None:
    async def busy(p: Play, g: asyncio.TaskGroup) -> None:
        for number in range(2, 40):
            p.delivery.put(send(number, "x" * 3000), g)
        p.delivery.show(draft(1, LONG), g)
        await asyncio.sleep(30)
        assert all(text.startswith("x") for text in p.texts)
        p.delivery.put(send(1, "end", streamed=True), g)
        await p.delivery.flushed()
        assert p.texts[-1].endswith("end")
        assert not any(LONG in text for text in p.texts)

    tell(busy)

    async def off(p: Play, g: asyncio.TaskGroup) -> None:
        p.delivery.show(draft(1, LONG), g)
        await asyncio.sleep(5)
        assert p.texts == []

    tell(off, drafts=False)


# ---- edited questions ----


def test_the_answer_to_an_edited_question_is_edited() -> None:
    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        p.delivery.put(send(1, "old", asked=77), g)
        await p.delivery.flushed()
        p.delivery.put(send(2, "new", asked=77, edited=True), g)
        p.delivery.put(send(3, "new", asked=77, edited=True), g)
        await p.delivery.flushed()
        assert p.texts == ["new"]
        assert p.errors == [""] * 3
        assert len({r.message_ids for r in p.receipts}) == 1
        assert [floor for _, floor in p.sending][1:] == [0, 0]
        p.telegram.faults["edit"] = [Rejected("message can't be edited", Reason.NOT_ALLOWED)]
        p.delivery.put(send(4, "newer", asked=77, edited=True), g)
        await p.delivery.flushed()
        assert p.texts == ["new", "newer"]
        p.delivery.put(send(5, "newest", asked=77, edited=True), g)
        await p.delivery.flushed()
        assert p.texts == ["new", "newest"]

    tell(story)


def test_an_answer_that_is_no_single_message_is_answered_anew() -> None:
    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        p.delivery.put(send(1, "word " * 1500, asked=77), g)
        await p.delivery.flushed()
        p.delivery.put(send(2, "new", asked=77, edited=True), g)
        p.delivery.put(send(3, "unasked", asked=78, edited=True), g)
        await p.delivery.flushed()
        assert p.texts[2:] == ["new", "unasked"]
        assert p.telegram.edits == []

    tell(story)


# ---- chats that change ----


def test_a_group_that_became_a_supergroup_is_followed() -> None:
    new = GROUP - 5

    class Upgraded(FakeTelegram):
        async def send(
            self,
            target: Target,
            text: str,
            entities: tuple[Entity, ...],
            *,
            preview: bool,
            buttons: Keyboard = (),
        ) -> int:
            if target.chat_id == -7:
                raise Rejected("upgraded", Reason.MIGRATED, moved_to=new)
            return await super().send(target, text, entities, preview=preview, buttons=buttons)

    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        p.delivery.put(send(1, chat=-7), g)
        await p.delivery.flushed()
        p.delivery.put(send(2, chat=-7), g)
        await p.delivery.flushed()
        assert [(sent.chat, sent.reply_to) for sent in p.telegram.sent] == [(new, 0), (new, 2)]
        assert [r.chat_id for r in p.receipts] == [new, new]

    tell(story, Upgraded())


def test_what_waits_for_a_chat_that_threw_the_bot_out_is_not_tried() -> None:
    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        p.telegram.failures.append(Rejected("bot was blocked by the user", Reason.BLOCKED))
        for number in range(1, 6):
            p.delivery.put(send(number, chat=5), g)
        await p.delivery.flushed()
        assert p.texts == []
        assert p.errors == ["Rejected"] * 5
        p.delivery.put(send(6, chat=5), g)
        await p.delivery.flushed()
        assert p.texts == ["yes"]

    tell(story)


def test_a_chat_that_is_dropped_finishes_at_once_even_in_a_pause() -> None:
    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        p.telegram.failures.append(FloodWait(3000))
        for number in range(1, 4):
            p.delivery.put(send(number, chat=5), g)
        await asyncio.sleep(1)
        p.delivery.drop_chat(5)
        await p.delivery.flushed()
        assert now() < 2
        assert sorted(r.update_id for r in p.receipts) == [1, 2, 3]
        assert p.errors == ["Rejected"] * 3

    tell(story)


# ---- deletions ----


def test_a_message_is_deleted_when_it_is_due_and_owed_until_then() -> None:
    owed: list[tuple[int, int]] = []
    paid: list[tuple[int, int]] = []

    async def owe(chat: int, message: int, due: float) -> None:
        owed.append((chat, message))

    async def pay(chat: int, message: int) -> None:
        paid.append((chat, message))

    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        p.telegram.faults["delete"] = [FloodWait(2), Unreachable("x", sent=True)]
        p.delivery.put(send(1, delete_after=30.0), g)
        await p.delivery.flushed()
        message = (GROUP, p.telegram.sent[0].id)
        assert (owed, paid) == ([message], [])
        await asyncio.sleep(29)
        assert p.telegram.deleted == []
        await asyncio.sleep(5)
        assert p.telegram.deleted == [message]
        assert paid == [message]

    tell(story, owe=owe, paid=pay)


@pytest.mark.parametrize(
    "refusal",
    [
        Rejected("message to delete not found", Reason.NOT_FOUND),
        Rejected("message can't be deleted", Reason.NOT_ALLOWED),
    ],
)
def test_a_deletion_that_can_t_be_is_settled(refusal: Rejected) -> None:
    paid: list[tuple[int, int]] = []

    async def pay(chat: int, message: int) -> None:
        paid.append((chat, message))

    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        p.telegram.faults["delete"] = [refusal]
        p.delivery.delete(GROUP, 5, time.time(), g)
        p.delivery.delete(GROUP, 6, time.time(), g)
        await asyncio.sleep(1)
        assert p.telegram.deleted == []
        assert paid == [(GROUP, 5), (GROUP, 6)]

    tell(story, paid=pay)


def test_what_was_due_two_days_ago_is_given_up() -> None:
    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        await p.telegram.send(Target(chat_id=GROUP), "x", (), preview=False)
        p.delivery.delete(GROUP, p.telegram.sent[0].id, time.time() - 48 * 3600, g)
        await asyncio.sleep(1)
        assert p.telegram.deleted == []

    tell(story)


def test_deletions_go_on_beside_a_flood_of_answers() -> None:
    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        await p.telegram.send(Target(chat_id=GROUP), "x", (), preview=False)
        for number in range(1, 300):
            p.delivery.put(send(number, chat=number), g)
        p.delivery.delete(GROUP, p.telegram.sent[0].id, time.time(), g)
        await asyncio.sleep(3)
        assert len(p.telegram.deleted) == 1
        assert len(p.telegram.sent) < 120

    tell(story)


# ---- signs of work ----


def test_a_chat_shows_that_it_is_worked_on_once_however_many_ask() -> None:
    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        target = Target(chat_id=GROUP, private=False)
        for update in range(1, 4):
            p.delivery.working(update, target, update + 50, g)
        await asyncio.sleep(MARK_DELAY + TYPING_EVERY + 1)
        assert p.telegram.typings == [(GROUP, None)] * 2
        assert p.telegram.reactions == [(GROUP, message, "👀") for message in (51, 52, 53)]
        for update in range(1, 4):
            p.delivery.rested(update)
        await asyncio.sleep(60)
        assert len(p.telegram.typings) == 2

    tell(story)


def test_what_is_answered_at_once_shows_no_mark_and_private_chats_no_reaction() -> None:
    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        p.delivery.working(1, Target(chat_id=GROUP, private=False), 51, g)
        await asyncio.sleep(MARK_DELAY / 2)
        p.delivery.rested(1)
        p.delivery.working(2, Target(chat_id=5), 52, g)
        await asyncio.sleep(1)
        p.delivery.rested(2)
        assert p.telegram.typings == [(5, None)]
        assert p.telegram.reactions == []

    tell(story)


def test_a_mark_ends_after_two_minutes_even_if_the_work_does_not() -> None:
    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        p.delivery.working(1, Target(chat_id=5), 0, g)
        await asyncio.sleep(10 * TYPING_LIMIT)
        assert len(p.telegram.typings) == pytest.approx(TYPING_LIMIT / TYPING_EVERY, abs=2)
        p.delivery.rested(1)

    tell(story)


def test_no_marks_where_an_answer_waits() -> None:
    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        p.telegram.failures.append(FloodWait(20))
        p.delivery.put(send(1, chat=5), g)
        p.delivery.working(2, Target(chat_id=5), 0, g)
        await asyncio.sleep(15)
        assert p.telegram.typings == []
        p.delivery.rested(2)

    tell(story)


def test_a_chat_that_refuses_reactions_is_left_alone_for_an_hour() -> None:
    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        target = Target(chat_id=GROUP, private=False)
        p.telegram.faults["react"] = [Rejected("REACTION_INVALID", Reason.NO_REACTIONS)]
        for update in (1, 2):
            p.delivery.working(update, target, update, g)
            await asyncio.sleep(1)
            p.delivery.rested(update)
        assert p.telegram.reactions == []
        await asyncio.sleep(REFUSED_FOR)
        p.delivery.working(3, target, 3, g)
        await asyncio.sleep(1)
        p.delivery.rested(3)
        assert p.telegram.reactions == [(GROUP, 3, "👀")]

    tell(story)


def test_a_faster_pace_is_a_setting() -> None:
    async def story(p: Play, g: asyncio.TaskGroup) -> None:
        for number in range(1, 101):
            p.delivery.put(send(number, chat=5), g)
        await p.delivery.flushed()
        assert now() < 0.5

    tell(story, pace=Pace(per_second=1000, per_chat=1000, group_per_minute=60_000))
