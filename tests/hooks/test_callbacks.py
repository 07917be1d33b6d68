"""Callback data: it fits, it comes back, and what is not ours finds nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdcore import Button
from clawdcore.errors import PluginError
from clawdcore.hooks.callbacks import BUTTONS_LIMIT, DATA_LIMIT, LIMIT, checked, decode, encode, key

NAMES = st.from_regex(r"[a-z0-9_]{1,32}", fullmatch=True)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=DATA_LIMIT)


@given(plugin=NAMES, name=NAMES, data=TEXT)
def test_what_is_accepted_fits_and_comes_back(plugin: str, name: str, data: str) -> None:
    button = Button("x", name, data)
    try:
        ((ours,),) = checked(plugin, ((button,),))
    except PluginError:
        assert len(data.encode()) > DATA_LIMIT
        return
    sent = encode(ours)
    assert len(sent.encode()) <= LIMIT
    assert decode(sent) == (key(plugin, name), data)


@given(plugin=NAMES, name=NAMES, other=NAMES)
def test_names_are_each_plugin_s_own(plugin: str, name: str, other: str) -> None:
    assert (key(plugin, name) == key(other, name)) == (plugin == other)
    assert (key(plugin, name) == key(plugin, other)) == (name == other)


@given(st.text(st.characters(), max_size=80))
def test_foreign_data_is_taken_as_it_is(data: str) -> None:
    found, rest = decode(data)
    assert found + rest == data


def test_a_key_stays_the_same_over_versions() -> None:
    assert key("queue", "leave") == "fOS4q57Y"


@pytest.mark.parametrize(
    ("buttons", "said"),
    [
        (((Button("x", "a", "é" * 29),),), "58 bytes of data"),
        (((Button(" ", "a"),),), "without a text"),
        (((Button("x"),),), "without one purpose"),
        (((Button("x", "a", url="https://example.org"),),), "without one purpose"),
        (((Button("x", url="javascript:x"),),), "an odd url"),
        (((Button("x", "a", "\ud800"),),), "no text"),
        (((Button("x", "a", 3),),), "no text"),
        ((("x",),), "a str as a button"),
        ((Button("x", "a"),), "no rows"),
        (7, "no rows"),
        (((Button("x", "a"),) * (BUTTONS_LIMIT + 1),), "too many buttons"),
    ],
)
def test_what_can_t_be_sent_is_refused_with_a_fix(buttons: Any, said: str) -> None:
    with pytest.raises(PluginError, match=said) as caught:
        checked("weather", buttons)
    assert "weather" in str(caught.value)
    assert caught.value.fix


def test_rows_may_be_lists_and_empty_ones_go() -> None:
    rows: Any = [[Button("x", "a")], []]
    assert checked("weather", rows) == ((Button("x", "a", plugin="weather"),),)


def test_a_button_of_another_plugin_stays_so() -> None:
    theirs = Button("x", "a", plugin="queue")
    assert checked("weather", ((theirs,),)) == ((theirs,),)
