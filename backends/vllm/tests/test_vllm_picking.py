from __future__ import annotations

from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from clawdbot_vllm.failures import Kind
from clawdbot_vllm.metrics import Gauges
from clawdbot_vllm.picking import (
    FIRST_REST,
    FRESH,
    LONGEST_REST,
    STRIKES,
    answered,
    busyness,
    eject,
    failed,
    pick,
    restore,
)
from clawdbot_vllm.servers import Reading, Server, address


def servers(count: int) -> list[Server]:
    return [Server(address=address(f"http://h{n}:80/v1", None)) for n in range(count)]


def ejected(server: Server) -> Server:
    eject(server, 0.0, Random(0))
    return server


@given(
    standing=st.lists(st.booleans(), min_size=1, max_size=6),
    busy=st.lists(st.integers(0, 50), min_size=6, max_size=6),
    tried=st.sets(st.integers(0, 5)),
    seed=st.integers(),
)
def test_an_ejected_server_gets_nothing_while_another_stands(
    standing: list[bool], busy: list[int], tried: set[int], seed: int
) -> None:
    all_of_them = servers(len(standing))
    for server, up, count in zip(all_of_them, standing, busy, strict=False):
        server.up, server.in_flight = up, count
    without = [all_of_them[n] for n in tried if n < len(all_of_them)]
    chosen = pick(all_of_them, 0.0, Random(seed), without=without)
    assert chosen is not None
    assert chosen.up or not any(standing)
    left = [s for s in all_of_them if s.up == chosen.up and s not in without]
    assert chosen not in without or not left


@given(
    busy=st.lists(st.integers(0, 5), min_size=1, max_size=6),
    most=st.integers(1, 4),
    seed=st.integers(),
)
def test_no_server_holds_more_than_it_may(busy: list[int], most: int, seed: int) -> None:
    all_of_them = servers(len(busy))
    for server, count in zip(all_of_them, busy, strict=True):
        server.in_flight = count
    chosen = pick(all_of_them, 0.0, Random(seed), most=most)
    if min(busy) >= most:
        assert chosen is None
    elif chosen is not None:
        assert chosen.in_flight < most


def test_where_any_has_room_one_is_found() -> None:
    one, other = servers(2)
    one.in_flight = 1
    assert pick([one, other], 0.0, Random(0), without=[other], most=1) is other


def test_the_load_is_spread() -> None:
    all_of_them, random = servers(5), Random(7)
    for _ in range(1000):
        chosen = pick(all_of_them, 0.0, random)
        assert chosen is not None
        chosen.in_flight += 1
    counts = [server.in_flight for server in all_of_them]
    # Two choices keep the fullest within log log n of the mean; one choice would stray by 14.
    assert max(counts) - min(counts) <= 6


def test_without_work_all_get_some() -> None:
    all_of_them, random = servers(4), Random(3)
    seen = Counter(id(pick(all_of_them, 0.0, random)) for _ in range(400))
    assert len(seen) == 4
    assert min(seen.values()) > 40


def test_what_others_do_there_counts_while_it_is_fresh() -> None:
    one, other = servers(2)
    one.reading = Reading(10.0, Gauges(running=20.0, waiting=5.0), in_flight=0)
    other.in_flight = 3
    assert busyness(one, 10.0) > busyness(other, 10.0)
    assert busyness(one, 10.0 + FRESH) == 0.0
    assert pick([one, other], 10.0, Random(0)) is other
    assert pick([one, other], 10.0 + FRESH, Random(0)) is one


def test_our_own_requests_are_not_counted_twice() -> None:
    [one] = servers(1)
    one.in_flight = 4
    one.reading = Reading(0.0, Gauges(running=4.0), in_flight=4)
    assert busyness(one, 0.0) == 4.0


def test_each_failure_in_a_row_doubles_the_rest() -> None:
    [server], random = servers(1), Random(0)
    now = 0.0
    for failure in range(12):
        failed(server, Kind.UNREACHABLE, now, random)
        rest = min(LONGEST_REST, FIRST_REST * 2**failure)
        assert 0.8 * rest <= server.probe_at - now <= 1.2 * rest
        now = server.probe_at
        restore(server)
    answered(server)
    failed(server, Kind.UNREACHABLE, now, random)
    assert server.probe_at - now <= 1.2 * FIRST_REST


def test_many_requests_that_fail_together_are_one_failure() -> None:
    [server] = servers(1)
    for _ in range(50):
        failed(server, Kind.UNREACHABLE, 0.0, Random(0))
    assert server.failures == 1


def test_a_cut_connection_is_looked_at_at_once() -> None:
    [server] = servers(1)
    failed(server, Kind.CUT, 5.0, Random(0))
    assert (server.up, server.probe_at) == (False, 5.0)


def test_bad_answers_eject_only_in_a_row() -> None:
    [server] = servers(1)
    for _ in range(STRIKES - 1):
        failed(server, Kind.BROKEN, 0.0, Random(0))
    answered(server)
    for _ in range(STRIKES - 1):
        failed(server, Kind.BROKEN, 0.0, Random(0))
    assert server.up
    failed(server, Kind.BROKEN, 0.0, Random(0))
    assert not server.up


def test_a_full_server_and_a_wrong_request_eject_nobody() -> None:
    [server] = servers(1)
    for kind in (Kind.BUSY, Kind.REFUSED, Kind.OUT_OF_TIME):
        failed(server, kind, 0.0, Random(0))
    assert server.up
