"""The schedules of bench/flood.py."""

from __future__ import annotations

from itertools import pairwise

import pytest
from flood_parts.plan import CROWD, QUIET_SHARE, SCENARIOS, Call, bursts, equals, flood


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_flood_has_the_rates_it_should_and_comes_in_order(name: str) -> None:
    calls = flood(SCENARIOS[name], 5.0, capacity=10.0, seconds=400.0, seed=3)
    quiet = [call for call in calls if call.quiet]
    loud = [call for call in calls if not call.quiet]
    assert len(quiet) == pytest.approx(QUIET_SHARE * 10 * 400, rel=0.1)
    assert len(loud) == pytest.approx(5 * 10 * 400, rel=0.1)
    assert all(one.at <= other.at for one, other in pairwise(calls))
    assert all(0 < call.at < 400 for call in calls)


def who(call: Call) -> tuple[str, int, int]:
    return call.kind, call.chat, call.sender


@pytest.mark.parametrize("name", SCENARIOS)
def test_nobody_is_both_quiet_and_loud(name: str) -> None:
    calls = flood(SCENARIOS[name], 2.0, capacity=10.0, seconds=100.0, seed=3)
    quiet = {who(call) for call in calls if call.quiet}
    assert not quiet & {who(call) for call in calls if not call.quiet}


def test_each_flood_comes_from_where_it_says() -> None:
    def loud(name: str) -> list[Call]:
        calls = flood(SCENARIOS[name], 2.0, capacity=10.0, seconds=100.0, seed=3)
        return [call for call in calls if not call.quiet]

    assert {call.kind for call in loud("a")} == {"group"}
    assert len({who(call) for call in loud("b")}) == 1
    assert len({who(call) for call in loud("c")}) > 100
    assert {call.kind for call in loud("d")} == {"media"}
    assert len({who(call) for call in loud("e")}) == 1
    quiet = flood(SCENARIOS["e"], 2.0, capacity=10.0, seconds=100.0, seed=3)
    assert {(call.kind, call.chat) for call in quiet} == {("group", 0)}, "all in the one group"


def test_the_same_seed_asks_the_same() -> None:
    def calls(seed: int) -> list[Call]:
        return flood(SCENARIOS["c"], 2.0, capacity=10.0, seconds=10.0, seed=seed)

    assert calls(1) == calls(1) != calls(2)


def test_equal_chats_ask_alike() -> None:
    calls = equals(8, 5.0, capacity=10.0, seconds=200.0, seed=1)
    counts = [sum(call.chat == chat for call in calls) for chat in range(8)]
    assert sum(counts) == len(calls)
    assert min(counts) > 0.85 * max(counts)


def test_a_burst_is_so_many_people_at_one_moment_again_and_again() -> None:
    calls = bursts(10, 4.0, 12.0)
    assert [call.at for call in calls] == [0.0] * 10 + [4.0] * 10 + [8.0] * 10
    assert len({who(call) for call in calls}) == 30, "other people each time"
    assert len({who(call) for call in bursts(100, 1.0, 60.0)}) == CROWD
    assert len(bursts(10, 4.0, 1.0)) == 10, "one at least"
