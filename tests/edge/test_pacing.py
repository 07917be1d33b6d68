"""How fast messages may go, whose turn it is, and what is tried again: all without a clock."""

from __future__ import annotations

import heapq
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawdcore.edge.delivery.known import PROBES, Known
from clawdcore.edge.delivery.pace import Chats, Pace, Tokens
from clawdcore.edge.delivery.retrying import FLOOD_RETRIES, PATIENCE, Tries
from clawdcore.edge.delivery.schedule import SHARE, Rank, Scheduler, Ticket, rank_of
from clawdcore.testing.botapi.limits import FloodGate, Limits

SUPERGROUP = -1_000_000_000_005


def finish(scheduler: Scheduler, tickets: list[Ticket], now: float) -> list[int]:
    """End the calls at once; their chats."""
    for ticket in tickets:
        scheduler.ended(ticket, now)
    return [ticket.chat_id for ticket in tickets]


def joined(scheduler: Scheduler, *chats: int, now: float = 0.0) -> None:
    for chat in chats:
        scheduler.join(Ticket(chat, rank_of(chat)), now)


def test_a_token_comes_back_a_window_after_its_call_has_ended() -> None:
    tokens = Tokens(1, 1.0)
    tokens.take()
    assert tokens.next_at(5.0) == float("inf")
    tokens.ended(5.0)
    assert tokens.free(5.9) == 0
    assert tokens.next_at(5.9) == pytest.approx(6.05)
    assert tokens.free(6.05) == 1


def test_a_rate_below_one_takes_a_longer_window() -> None:
    tokens = Tokens.rate(0.5, 1.0)
    assert (tokens.most, tokens.seconds) == (1, 2.0)


def test_a_busy_group_gets_its_messages_spread_over_the_minute() -> None:
    scheduler = Scheduler(Pace())
    now, sent = 0.0, []
    while now < 300:
        joined(scheduler, -7, now=now)
        while not (granted := scheduler.advance(now)):
            now = scheduler.wake_at(now)
        finish(scheduler, granted, now)
        sent.append(now)
    gaps = [after - before for before, after in pairwise(sent)]
    assert max(gaps) < 3.3
    assert len(sent) >= 100
    assert sent[2] < 3


def test_a_chat_in_a_pause_waits_and_no_other() -> None:
    scheduler = Scheduler(Pace())
    scheduler.flooded(1, 30.0, 0.0)
    joined(scheduler, 1, 2)
    assert finish(scheduler, scheduler.advance(0.0), 0.0) == [2]
    assert scheduler.wake_at(0.0) == 30.0
    assert finish(scheduler, scheduler.advance(30.0), 30.0) == [1]


def test_each_further_flood_backs_off_longer_until_one_call_goes_well() -> None:
    scheduler = Scheduler(Pace())
    scheduler.flooded(1, 3.0, 0.0)
    scheduler.flooded(1, 3.0, 3.0)
    assert scheduler.chats.of(1, 3.0).paused_until == 9.0
    scheduler.flooded(1, 3.0, 9.0)
    assert scheduler.chats.of(1, 9.0).paused_until == 21.0
    scheduler.succeeded(1, 21.0)
    scheduler.flooded(1, 3.0, 21.0)
    assert scheduler.chats.of(1, 21.0).paused_until == 24.0


def test_private_chats_go_first_and_groups_still_get_their_share() -> None:
    scheduler = Scheduler(Pace(per_second=1))
    joined(scheduler, *range(-40, 0), *range(1, 41))
    order: list[int] = []
    now = 0.0
    while len(order) < 3 * SHARE:
        order += finish(scheduler, scheduler.advance(now), now)
        now = scheduler.wake_at(now)
    assert order[: SHARE - 1] == list(range(1, SHARE))
    assert [at for at, chat in enumerate(order) if chat < 0] == [SHARE - 1, 2 * SHARE - 1, 23]


def test_among_equals_the_oldest_ready_goes_first() -> None:
    scheduler = Scheduler(Pace(per_second=1))
    joined(scheduler, 1, 2, 3)
    assert finish(scheduler, scheduler.advance(0.0), 0.0) == [1]
    joined(scheduler, 1, now=0.0)
    assert [scheduler.advance(at)[0].chat_id for at in (1.05,)] == [2]


def test_spare_tokens_are_those_that_nobody_wants() -> None:
    scheduler = Scheduler(Pace(per_second=2))
    assert scheduler.take_spare(1, 0.0, counts=False) is not None
    assert scheduler.take_spare(2, 0.0, counts=False) is not None
    assert scheduler.take_spare(3, 0.0, counts=False) is None
    waiting = Scheduler(Pace())
    joined(waiting, 1)
    assert waiting.take_spare(2, 0.0, counts=False) is None


def test_an_edit_leaves_half_of_a_groups_minute() -> None:
    scheduler = Scheduler(Pace(per_chat=1000))
    now = 0.0
    edits = 0
    while (ticket := scheduler.take_spare(-7, now, counts=True)) is not None:
        scheduler.ended(ticket, now)
        edits += 1
        now += 4.0
    assert edits <= 11
    assert scheduler.chats.of(-7, now).group.free(now) >= 9  # type: ignore[union-attr]


def test_a_ticket_that_was_given_up_is_not_granted() -> None:
    scheduler = Scheduler(Pace())
    ticket = Ticket(1, Rank.PRIVATE)
    scheduler.join(ticket, 0.0)
    scheduler.leave(ticket)
    assert scheduler.advance(0.0) == []


def test_chats_that_are_idle_are_forgotten() -> None:
    chats = Chats(Pace())
    for number in range(1, 1000):
        chat = chats.of(number, float(number))
        chat.take()
        chat.ended(number + 0.1)
    assert len(chats) < 10


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.0, 2.0))
def test_no_window_of_telegram_ever_sees_more_than_it_allows(seed: int, slow: float) -> None:
    """Calls take their time, and Telegram counts each at any moment of it."""
    dice = random.Random(seed)
    gate = FloodGate(Limits.telegram())
    scheduler = Scheduler(Pace())
    chats = [*range(1, 40), *range(-3, 0)]
    events: list[tuple[float, int, str, object]] = []
    for number in range(400):
        at = dice.random() * 20
        heapq.heappush(events, (at, number, "join", dice.choice(chats)))
    number = 1000
    while events:
        now, _, kind, what = heapq.heappop(events)
        if kind == "join":
            assert isinstance(what, int)
            joined(scheduler, what, now=now)
        elif kind == "count":
            assert isinstance(what, int)
            assert gate.admit(what, group=what < 0, now=now) == 0
            continue
        elif kind == "end":
            assert isinstance(what, Ticket)
            scheduler.ended(what, now)
        for ticket in scheduler.advance(now):
            number += 2
            end = now + dice.random() * slow
            counted = now + dice.random() * (end - now)
            heapq.heappush(events, (counted, number, "count", ticket.chat_id))
            heapq.heappush(events, (end, number + 1, "end", ticket))
        wake = scheduler.wake_at(now)
        if now < wake < float("inf"):
            number += 2
            heapq.heappush(events, (wake, number, "wake", None))
    assert scheduler.advance(1e6) == []


def test_how_often_a_call_is_tried_again() -> None:
    tries = Tries(repeats=1)
    assert [tries.after_failure(0.0, unknown=False) for _ in range(6)] == [1, 2, 4, 8, 15, 15]
    assert tries.after_failure(PATIENCE, unknown=False) is None
    tries = Tries(repeats=1)
    assert tries.after_failure(0.0, unknown=True) == 1
    assert tries.after_failure(1.0, unknown=True) is None
    assert Tries(repeats=0).after_failure(0.0, unknown=True) is None
    tries = Tries(repeats=0)
    assert [tries.after_flood() for _ in range(FLOOD_RETRIES + 1)][-2:] == [True, False]


def test_the_ids_that_a_lost_message_may_have() -> None:
    known = Known()
    assert known.candidates(1, known.floor(1)) == []
    known.note(1, 10)
    known.note(2, 12)
    assert known.floor(3) == 12
    assert known.candidates(1, 10) == [11, *range(13, 13 + PROBES - 1)]
    known.note(SUPERGROUP, 3)
    assert known.floor(SUPERGROUP) == 3
    assert known.floor(1) == 12


def test_when_it_is_sure_that_nothing_arrived() -> None:
    known = Known()
    known.note(1, 10)
    assert known.surely_none(1, 10, known.candidates(1, 10))
    known.note(1, 10 + PROBES + 1)
    assert not known.surely_none(1, 10, list(range(11, 11 + PROBES)))
    known.note(SUPERGROUP, 10)
    assert not known.surely_none(SUPERGROUP, 10, known.candidates(SUPERGROUP, 10))
    known.note(SUPERGROUP, 12)
    assert known.surely_none(SUPERGROUP, 10, known.candidates(SUPERGROUP, 10))
    everything = Known(reads_all=True)
    everything.note(SUPERGROUP, 10)
    assert everything.surely_none(SUPERGROUP, 10, everything.candidates(SUPERGROUP, 10))


def test_after_a_send_that_stayed_unknown_ids_say_nothing_until_one_of_ours_is_known() -> None:
    known = Known()
    known.note(1, 10)
    known.doubt(1)
    assert known.candidates(1, 10) == []
    assert known.candidates(2, 10) != []
    known.note_own(1, 14)
    assert known.candidates(1, 14) != []
