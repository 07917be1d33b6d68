"""Flood limits, with time as a parameter."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clawdcore.testing.botapi.limits import FloodGate, Limits


def test_off_by_default() -> None:
    gate = FloodGate(Limits())
    assert all(gate.admit(1, group=True, now=0.0) == 0 for _ in range(1000))


def test_one_a_second_in_a_chat() -> None:
    gate = FloodGate(Limits(chat_per_second=1))
    assert gate.admit(1, group=False, now=0.0) == 0
    assert gate.admit(2, group=False, now=0.1) == 0
    assert gate.admit(1, group=False, now=0.5) == 1
    assert gate.admit(1, group=False, now=1.0) == 0


def test_thirty_a_second_in_all() -> None:
    gate = FloodGate(Limits.telegram())
    assert [gate.admit(chat, group=False, now=0.0) for chat in range(31)] == [0] * 30 + [1]


def test_twenty_a_minute_in_a_group() -> None:
    gate = FloodGate(Limits(group_per_minute=20))
    assert [gate.admit(-1, group=True, now=float(i)) for i in range(20)] == [0] * 20
    assert gate.admit(-1, group=True, now=20.0) == 40
    assert gate.admit(5, group=False, now=20.0) == 0
    assert gate.admit(-1, group=True, now=60.0) == 0


def test_chats_remembered_are_bounded() -> None:
    gate = FloodGate(Limits(chat_per_second=1), max_chats=2)
    for chat in range(5):
        assert gate.admit(chat, group=False, now=0.0) == 0
    assert gate.admit(4, group=False, now=0.0) == 1
    assert gate.admit(0, group=False, now=0.0) == 0


@given(st.lists(st.floats(0, 3), max_size=60))
def test_waiting_as_told_is_enough(steps: list[float]) -> None:
    gate = FloodGate(Limits(per_second=3, chat_per_second=2, group_per_minute=5))
    now = 0.0
    for step in steps:
        now += step
        wait = gate.admit(-7, group=True, now=now)
        if wait:
            now += wait
            assert gate.admit(-7, group=True, now=now) == 0
