"""One class's line: shared between chats, and in a chat between senders."""

from __future__ import annotations

from itertools import count
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdcore.admission.accounts import KEPT
from clawdcore.admission.ask import Ask
from clawdcore.admission.lane import Lane, Waiter

numbers = count()


def waiter(chat: str, sender: str = "", cost: float = 10.0, *, later: bool = False) -> Waiter:
    return Waiter(next(numbers), Ask(chat=chat, sender=sender, later=later), 0.0, cost)


def serve(lane: Lane) -> Waiter:
    """Take the next and charge what it was expected to cost."""
    served = lane.next()
    lane.charge(served.ask, served.cost)
    return served


def test_chats_take_turns_and_each_keeps_its_order() -> None:
    lane = Lane()
    waiters = [waiter("a"), waiter("a"), waiter("a"), waiter("b"), waiter("c")]
    for each in waiters:
        lane.add(each)
    a1, a2, a3, b, c = waiters
    assert [serve(lane) for _ in waiters] == [a1, b, c, a2, a3]
    with pytest.raises(IndexError):
        lane.next()


def test_senders_of_a_chat_take_turns() -> None:
    lane = Lane()
    waiters = [waiter("g", "x"), waiter("g", "x"), waiter("g", "y")]
    for each in waiters:
        lane.add(each)
    x1, x2, y = waiters
    assert [serve(lane) for _ in waiters] == [x1, y, x2]


def test_what_is_later_goes_first_in_order_and_is_no_victim() -> None:
    lane = Lane()
    waiters = [waiter("a"), waiter("z", later=True), waiter("b", later=True)]
    for each in waiters:
        lane.add(each)
    assert lane.greediest() is waiters[0]
    assert [serve(lane) for _ in range(2)] == waiters[1:]
    assert lane.greediest() is waiters[0]
    lane.remove(waiters[0])
    lane.add(waiters[1])
    assert lane.greediest() is None


def test_a_chat_that_rested_has_saved_up_nothing() -> None:
    lane = Lane()
    for _ in range(20):
        lane.add(waiter("busy"))
    for _ in range(10):
        serve(lane)
    for _ in range(10):
        lane.add(waiter("rested"))
    order = [serve(lane).ask.chat for _ in range(10)]
    assert order.count("rested") <= 6


def test_who_was_given_much_waits_though_it_went_away_in_between() -> None:
    lane = Lane()
    lane.add(waiter("greedy", cost=100))
    serve(lane)
    lane.add(waiter("greedy", cost=100))
    for _ in range(9):
        lane.add(waiter("other"))
    assert [serve(lane).ask.chat for _ in range(10)] == ["other"] * 9 + ["greedy"]


def test_the_greediest_is_the_newest_of_the_greediest_sender_of_the_greediest_chat() -> None:
    lane = Lane()
    first, newest = waiter("g", "x"), waiter("g", "x")
    for each in (waiter("a", cost=15), first, newest, waiter("g", "y", cost=5), waiter("b")):
        lane.add(each)
    assert lane.greediest() is newest


def test_a_newcomer_with_no_more_than_others_is_the_victim_of_equals() -> None:
    lane = Lane()
    for chat in "abc":
        lane.add(waiter(chat))
    newcomer = waiter("new")
    lane.add(newcomer)
    assert lane.greediest() is newcomer


def test_who_is_not_in_line_can_not_be_taken_out() -> None:
    lane = Lane()
    there = waiter("a")
    lane.add(there)
    assert not lane.remove(waiter("a"))
    assert not lane.remove(waiter("b"))
    assert not lane.remove(waiter("a", later=True))
    assert lane.remove(there)
    assert not lane.remove(there)
    assert (len(lane), lane.cost, lane.chats) == (0, 0.0, 0)


steps = st.lists(
    st.tuples(
        st.sampled_from(["add", "add", "later", "next", "remove", "charge"]),
        st.sampled_from("abcd"),
        st.sampled_from("xyz"),
        st.integers(1, 50),
    ),
    max_size=60,
)


@given(steps)
def test_the_line_holds_exactly_who_waits(steps: list[tuple[str, str, str, int]]) -> None:
    lane = Lane()
    waiting: list[Waiter] = []
    for what, chat, sender, amount in steps:
        if what in ("add", "later"):
            waiting.append(waiter(chat, sender, amount, later=what == "later"))
            lane.add(waiting[-1])
        elif what == "next" and waiting:
            waiting.remove(serve(lane))
        elif what == "remove" and waiting:
            assert lane.remove(waiting.pop(amount % len(waiting)))
        elif what == "charge":
            lane.charge(Ask(chat=chat, sender=sender), amount - 25)
        assert sorted(each.number for each in lane) == [each.number for each in waiting]
        assert len(lane) == len(waiting)
        assert lane.cost == pytest.approx(sum(each.cost for each in waiting))
        usual = [each for each in waiting if not each.ask.later]
        victim = lane.greediest()
        assert (victim is None) == (not usual)
        if victim is not None:
            queued = dict.fromkeys((each.ask.chat for each in usual), 0.0)
            for each in usual:
                queued[each.ask.chat] += each.cost
            assert queued[victim.ask.chat] == max(queued.values())
        accounts = lane._chats.waiting.values()
        level = sum(each.next().cost for each in accounts if each.counter <= lane._chats._floor)
        assert lane._chats.level == pytest.approx(level)
        for each in waiting:
            assert 0 <= lane.ahead(each) <= lane.cost - each.cost + 1e-9


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=30))
def test_what_is_foretold_is_what_goes_before(chats: list[str]) -> None:
    """But for a tie with each other chat: then the older goes first, and that comes later."""
    lane = Lane()
    foretold = {}
    waiters = [waiter(chat) for chat in chats]
    for each in waiters:
        lane.add(each)
    for each in waiters:
        foretold[each.number] = lane.ahead(each)
    served = 0.0
    while lane:
        assert foretold[serve(lane).number] == pytest.approx(served, abs=20)
        served += 10.0


costs = st.lists(st.integers(1, 100), min_size=40, max_size=40)


@given(costs, costs, st.booleans())
def test_two_that_both_wait_are_given_the_same_but_for_one_charge_each(
    ones: list[int], others: list[int], senders: bool
) -> None:
    """Theorem 1 of Goyal, Vin and Cheng, 1996, with equal weights, in every interval."""
    lane = Lane()
    for name, line in (("a", ones), ("b", others)):
        for cost in line:
            lane.add(waiter("g", name, cost) if senders else waiter(name, "", cost))
    given = {"a": 0.0, "b": 0.0}
    left = {"a": len(ones), "b": len(others)}
    gaps = [0.0]
    while all(left.values()):
        served = serve(lane)
        name = served.ask.sender if senders else served.ask.chat
        given[name] += served.cost
        left[name] -= 1
        gaps.append(given["a"] - given["b"])
    assert max(gaps) - min(gaps) <= max(ones) + max(others)


def test_counters_stay_bounded_under_many_distinct_chats_and_the_greedy_are_remembered() -> None:
    lane = Lane()
    random = Random(3)
    lane.add(waiter("greedy", cost=1e9))
    serve(lane)
    most = 0
    for n in range(50_000):
        lane.add(waiter(f"chat {n}", f"sender {n}", random.randint(1, 100)))
        if len(lane) > 20:
            serve(lane)
        most = max(most, lane.remembered)
    assert most <= KEPT + 21
    lane.add(waiter("greedy"))
    assert all(serve(lane).ask.chat != "greedy" for _ in range(20))


def test_senders_of_one_chat_stay_bounded_too() -> None:
    lane = Lane()
    lane.add(waiter("g", "patient", cost=1))
    for n in range(3 * KEPT):
        lane.add(waiter("g", f"sender {n}", cost=1))
        serve(lane)
    senders = lane._chats.waiting["g"].senders
    assert len(senders) <= KEPT + 2


def test_a_sender_and_a_chat_press_so_much_at_most() -> None:
    lane = Lane()
    for each in [waiter("a", "loud") for _ in range(50)]:
        lane.add(each)
    assert lane.pressing(sender=8, chat=32) == 8
    for n in range(60):
        lane.add(waiter("b", f"s{n}"))
    assert lane.pressing(sender=8, chat=32) == 8 + 32
    lane.add(waiter("c", later=True))
    assert lane.pressing(sender=8, chat=32) == 41


def test_who_has_something_in_line_already_does_not_wait_alone() -> None:
    lane = Lane()
    waiters = [waiter("a", "x"), waiter("a", "x"), waiter("a", "y"), waiter("b", "x")]
    for each in waiters:
        lane.add(each)
    assert [each.alone for each in waiters] == [True, False, True, True]
