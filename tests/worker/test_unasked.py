from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clawdcore.worker.unasked import KEPT, MINUTE, Unasked


@given(st.lists(st.floats(0, 600), max_size=80), st.integers(1, 10))
def test_no_minute_has_more_than_it_may(times: list[float], most: int) -> None:
    unasked = Unasked(lambda plugin: most)
    sent = [now for now in sorted(times) if unasked.allows("water", 1, now)]
    for first in sent:
        assert sum(first <= now < first + MINUTE for now in sent) <= most


def test_plugins_and_chats_have_each_their_own() -> None:
    unasked = Unasked({"water": 1, "tea": 2}.__getitem__)
    asked = [("water", 1), ("water", 1), ("water", 2), ("tea", 1), ("tea", 1), ("tea", 1)]
    assert [unasked.allows(*each, 0.0) for each in asked] == [True, False, True, True, True, False]


def test_what_is_remembered_is_bounded() -> None:
    unasked = Unasked(lambda plugin: 1)
    for chat in range(KEPT + 10):
        assert unasked.allows("water", chat, 0.0)
    assert not unasked.allows("water", KEPT + 9, 0.0)
    assert unasked.allows("water", 0, 0.0)  # the longest silent was forgotten
