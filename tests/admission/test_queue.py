"""Who goes next and who is refused."""

from __future__ import annotations

import pytest

from clawdcore.admission.ask import Ask
from clawdcore.admission.lane import Waiter
from clawdcore.admission.queue import (
    AGING,
    CLOSED_AGAIN,
    AdmissionQueue,
    Refusal,
)
from clawdcore.admission.seats import Running, kept_free
from clawdcore.backend import Priority

CONTROL, DIRECT, GROUP, MEDIA = Priority


def queue(limit: int = 1, bound: int = 100, budget: float = 1000.0) -> AdmissionQueue:
    return AdmissionQueue(limit=limit, bound=bound, budget=budget)


def ask(
    chat: str = "a",
    priority: Priority = DIRECT,
    *,
    deadline: float | None = None,
    output: int = 100,
    later: bool = False,
) -> Ask:
    return Ask(
        priority=priority,
        chat=chat,
        prompt_tokens=100,
        output_tokens=output,
        deadline=deadline,
        later=later,
    )


def offer(queue: AdmissionQueue, asked: Ask, now: float = 0.0) -> Waiter:
    """Offer what must not lead to a refusal."""
    waiter, refused = queue.offer(asked, now)
    assert not refused
    return waiter


def start(queue: AdmissionQueue, now: float = 0.0) -> Running:
    running, refused = queue.next(now)
    assert running is not None
    assert not refused
    return running


def learn(queue: AdmissionQueue, seconds: float = 2.0) -> float:
    """Have it see requests that take so long; when the last one ended."""
    now = 0.0
    for _ in range(60):
        offer(queue, ask("past"), now)
        running = start(queue, now)
        now += seconds
        queue.used(running, 100, 100)
        queue.finish(running, now)
    return now


def started(queue: AdmissionQueue) -> list[Priority]:
    """The classes of all that may start now."""
    classes = []
    while (running := queue.next(0.0)[0]) is not None:
        classes.append(running.waiter.ask.priority)
    return classes


@pytest.mark.parametrize(("limit", "seats"), [(1, 0), (3, 0), (4, 1), (7, 1), (8, 2), (32, 8)])
def test_a_quarter_of_the_seats_is_kept_free_and_none_of_few(limit: int, seats: int) -> None:
    assert kept_free(limit) == seats


@pytest.mark.parametrize(("priority", "most"), [(CONTROL, 9), (DIRECT, 8), (GROUP, 6), (MEDIA, 4)])
def test_each_class_leaves_seats_to_those_above_it(priority: Priority, most: int) -> None:
    admission = queue(limit=8)
    for n in range(20):
        offer(admission, ask(str(n), priority))
    assert started(admission) == [priority] * most


def test_with_few_seats_every_class_may_take_them_all() -> None:
    admission = queue(limit=3)
    for n in range(5):
        offer(admission, ask(str(n), MEDIA))
    assert len(started(admission)) == 3


def test_higher_classes_go_first() -> None:
    admission = queue(limit=20)
    for priority in (MEDIA, GROUP, DIRECT, CONTROL):
        offer(admission, ask("a", priority))
    assert started(admission) == [CONTROL, DIRECT, GROUP, MEDIA]


def test_control_has_a_seat_of_its_own() -> None:
    admission = queue(limit=2)
    for n in range(3):
        offer(admission, ask(str(n)))
    assert started(admission) == [DIRECT, DIRECT]
    offer(admission, ask("c", CONTROL))
    offer(admission, ask("d", CONTROL))
    assert started(admission) == [CONTROL]
    assert admission.running == 3


def test_a_flood_of_control_starves_nobody() -> None:
    admission = queue(limit=1)
    offer(admission, ask("patient"))
    running = []
    for n in range(3 * AGING):
        offer(admission, ask(str(n), CONTROL))
        while (seat := admission.next(float(n))[0]) is not None:
            running.append(seat)
        if running:
            admission.finish(running.pop(0), float(n))
    assert admission.waiting_by(DIRECT) == 0


def test_a_waiting_lower_class_has_its_turn_after_so_many_of_higher_ones() -> None:
    admission = queue(limit=1, bound=1000)
    offer(admission, ask("m", MEDIA))
    order = []
    for n in range(2 * AGING):
        offer(admission, ask(str(n)))
        seat = start(admission, float(n))
        order.append(seat.waiter.ask.priority)
        admission.finish(seat, float(n))
    assert order.index(MEDIA) == AGING


def test_the_books_and_the_lengths_say_what_happened() -> None:
    admission = queue(limit=1)
    offer(admission, ask())
    gone = offer(admission, ask())
    offer(admission, ask(priority=MEDIA))
    running = start(admission)
    assert (admission.running, admission.waiting) == (1, 2)
    assert [admission.waiting_by(each) for each in Priority] == [0, 1, 0, 1]
    admission.withdraw(gone)
    admission.withdraw(gone)
    admission.finish(running, 1.0)
    books = admission.books
    assert (books.accepted, books.finished, books.refused["withdrawn"]) == (3, 1, 1)


def test_who_has_gone_from_the_line_is_not_started() -> None:
    admission = queue()
    admission.withdraw(offer(admission, ask()))
    assert admission.next(0.0) == (None, [])


def test_a_class_that_is_not_taken_is_told_when_to_ask_again() -> None:
    admission = queue()
    admission.lowest = DIRECT
    waiter, refused = admission.offer(ask(priority=GROUP), 0.0)
    assert refused == [Refusal(waiter, "closed", CLOSED_AGAIN)]
    offer(admission, ask(priority=DIRECT))


def test_when_the_line_is_full_the_greediest_chats_newest_goes() -> None:
    admission = queue(bound=4)
    offer(admission, ask())
    start(admission)
    greedy = [offer(admission, ask("greedy")) for _ in range(3)]
    offer(admission, ask("other"))
    newcomer, refused = admission.offer(ask("quiet"), 0.0)
    assert [(each.waiter, each.reason) for each in refused] == [(greedy[-1], "full")]
    assert newcomer is not greedy[-1]
    assert admission.waiting == 4


def test_when_the_line_is_full_the_lowest_class_gives_way() -> None:
    admission = queue(bound=3)
    offer(admission, ask())
    start(admission)
    lowest = offer(admission, ask("m", MEDIA))
    for _ in range(2):
        offer(admission, ask("greedy"))
    _, refused = admission.offer(ask("greedy"), 0.0)
    assert [each.waiter for each in refused] == [lowest]
    newcomer, refused = admission.offer(ask("n", MEDIA), 0.0)
    assert [each.waiter for each in refused] == [newcomer]


def test_who_had_a_turn_already_is_not_sent_away_for_a_full_line() -> None:
    admission = queue(bound=1)
    offer(admission, ask())
    start(admission)
    offer(admission, ask("a", later=True))
    newcomer, refused = admission.offer(ask("b"), 0.0)
    assert [each.waiter for each in refused] == [newcomer]


def test_a_full_line_takes_whom_a_seat_is_free_for() -> None:
    admission = queue(bound=0)
    offer(admission, ask())
    start(admission)


def test_at_its_deadline_it_is_refused_and_not_before() -> None:
    admission = queue()
    offer(admission, ask())
    start(admission)
    late = offer(admission, ask("b", deadline=5.0))
    offer(admission, ask("c", deadline=7.0))
    assert admission.next_deadline() == 5.0
    assert admission.expire(4.99) == []
    assert [(each.waiter, each.reason) for each in admission.expire(5.0)] == [(late, "late")]
    assert admission.next_deadline() == 7.0


def test_nothing_starts_at_or_after_its_deadline() -> None:
    admission = queue()
    late = offer(admission, ask(deadline=5.0))
    running, refused = admission.next(5.0)
    assert running is None
    assert [each.waiter for each in refused] == [late]
    over, refused = admission.offer(ask(deadline=5.0), 5.0)
    assert [(each.waiter, each.reason) for each in refused] == [(over, "late")]


def test_what_can_not_be_done_in_time_is_refused_at_once() -> None:
    admission = queue()
    now = learn(admission, seconds=2.0)
    for n in range(5):
        offer(admission, ask(str(n)), now)
    start(admission, now)
    waiter, refused = admission.offer(ask("b", deadline=now + 11.0), now)
    assert [(each.waiter, each.reason) for each in refused] == [(waiter, "late")]
    assert refused[0].retry_after == pytest.approx(10.0, rel=0.1)
    offer(admission, ask("c", deadline=now + 13.0), now)


def test_a_free_seat_is_given_even_to_who_may_come_too_late() -> None:
    admission = queue()
    now = learn(admission, seconds=100.0)
    offer(admission, ask(deadline=now + 1.0), now)
    start(admission, now)


def test_bad_early_measurements_refuse_nobody_for_ever() -> None:
    admission = queue(limit=2)
    now = learn(admission, seconds=1000.0)
    refused = 0
    for _ in range(300):
        for chat in "abc":
            refused += len(admission.offer(ask(chat, deadline=now + 20.0), now)[1])
        running = []
        while True:
            seat, late = admission.next(now)
            refused += len(late)
            if seat is None:
                break
            running.append(seat)
        assert running
        now += 2.0
        for seat in running:
            admission.used(seat, 100, 100)
            admission.finish(seat, now)
        admission.expire(now)
    before = refused
    offer(admission, ask("a", deadline=now + 20.0), now)
    offer(admission, ask("b", deadline=now + 20.0), now)
    offer(admission, ask("c", deadline=now + 20.0), now)
    assert refused == before


def test_a_place_in_line_and_the_seconds_until_its_turn() -> None:
    admission = queue(limit=2)
    now = learn(admission, seconds=2.0)
    for n in range(2):
        offer(admission, ask(str(n)), now)
        start(admission, now)
    waiters = [offer(admission, ask(f"chat {n}"), now) for n in range(4)]
    places = [admission.place(each) for each in waiters]
    assert [number for number, _ in places] == [1, 2, 3, 4]
    assert [seconds for _, seconds in places] == pytest.approx([1.0, 2.0, 3.0, 4.0], rel=0.05)
    assert admission.eta(DIRECT, now) == pytest.approx(5.0, rel=0.05)


def test_a_newcomer_waits_for_nothing_where_a_seat_is_kept_free_for_it() -> None:
    admission = queue(limit=8)
    now = learn(admission)
    for n in range(20):
        offer(admission, ask(str(n), GROUP), now)
    while admission.next(now)[0] is not None:
        pass
    assert admission.eta(DIRECT, now) == 0.0
    assert admission.eta(GROUP, now) > 0.0


def test_who_comes_back_at_its_time_is_let_in_first() -> None:
    admission = queue(bound=3)
    now = learn(admission)
    offer(admission, ask(), now)
    running = start(admission, now)
    for _ in range(3):
        offer(admission, ask("greedy"), now)
    _, refused = admission.offer(ask("quiet"), now)
    assert [each.waiter.ask.chat for each in refused] == ["greedy"]
    admission.finish(running, now)
    running = start(admission, now)
    offer(admission, ask("third"), now)
    offer_again = now + refused[0].retry_after
    back, _ = admission.offer(ask("greedy"), offer_again)
    assert back.ask.later
    admission.finish(running, offer_again)
    assert start(admission, offer_again).waiter is back


def test_a_standing_delay_is_answered_by_refusing_the_greediest() -> None:
    admission = queue(limit=1, bound=1000, budget=20.0)
    refused: list[Refusal] = []
    waiting = 0
    for second in range(200):
        for _ in range(2):
            admission.offer(ask("greedy"), float(second))
        admission.offer(ask("modest"), float(second))
        running, more = admission.next(float(second))
        assert running is not None
        refused += more
        admission.finish(running, float(second))
        waiting = max(waiting, admission.waiting)
    assert refused
    assert {each.reason for each in refused} == {"slow"}
    assert {each.waiter.ask.chat for each in refused} == {"greedy"}


def test_what_gave_nothing_is_charged_for_its_question_alone() -> None:
    admission = queue(limit=1)
    offer(admission, ask("failed", output=1000))
    admission.finish(start(admission), 1.0)
    offer(admission, ask("served", output=60))
    running = start(admission)
    admission.used(running, 100, 60)
    admission.finish(running, 1.0)
    offer(admission, ask("served"))
    offer(admission, ask("failed"))
    assert start(admission).waiter.ask.chat == "failed"


def test_fewer_seats_are_given_out_once_there_are_fewer() -> None:
    admission = queue(limit=4)
    for n in range(10):
        offer(admission, ask(str(n)))
    running = [start(admission) for _ in range(4)]
    admission.limit = 2
    for seat in running[:2]:
        admission.finish(seat, 1.0)
        assert admission.next(1.0) == (None, [])
    admission.finish(running[2], 1.0)
    start(admission, 1.0)


def test_deadlines_of_those_who_have_gone_are_forgotten() -> None:
    admission = queue(bound=10)
    offer(admission, ask())
    start(admission)
    for n in range(10_000):
        admission.withdraw(offer(admission, ask(str(n), deadline=1e9)))
    assert len(admission._deadlines) <= 100
