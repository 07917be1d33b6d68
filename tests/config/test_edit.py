"""Switching plugins on and off in a file that somebody wrote."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdcore.config import DEFAULT_PLUGINS, parse
from clawdcore.config.edit import disabled, enabled
from clawdcore.config.source import read
from clawdcore.errors import ConfigSyntaxError

COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


def on(text: str) -> list[str]:
    return [entry.name for entry in parse(text, env={}).plugins if entry.enabled]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{ plugins: ["a"] }', '{ plugins: ["a", "b"] }'),
        ('{ plugins: ["a",] }', '{ plugins: ["a", "b",] }'),
        ("{ plugins: [] }", '{ plugins: ["b"] }'),
        ("{ plugins: ['b'] }", "{ plugins: ['b'] }"),
        (
            '{\n  plugins: [\n    "a", // first\n    "c" // last\n  ],\n}',
            '{\n  plugins: [\n    "a", // first\n    "c", // last\n    "b"\n  ],\n}',
        ),
        (
            '{\n\tplugins: [\n\t\t"a", /* why */ // first\n\t],\n}',
            '{\n\tplugins: [\n\t\t"a", /* why */ // first\n\t\t"b",\n\t],\n}',
        ),
        ('{ plugins: [{ name: "b", enabled: false }] }', '{ plugins: ["b"] }'),
        (
            '{ plugins: [{ name: "b", options: {}, enabled: false /* x */ }] }',
            '{ plugins: [{ name: "b", options: {}, enabled: true /* x */ }] }',
        ),
        ('{ plugins: ["a" /* c */, /* d */] }', '{ plugins: ["a", "b" /* c */, /* d */] }'),
    ],
)
def test_a_plugin_is_added_in_the_form_that_the_list_has(before: str, after: str) -> None:
    assert enabled(before, "b") == after
    assert "b" in on(after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{ plugins: ["a", "b"] }', '{ plugins: ["a", { "name": "b", "enabled": false }] }'),
        (
            '{ plugins: [{ name: "b", options: { x: 1 } }] }',
            '{ plugins: [{ "enabled": false, name: "b", options: { x: 1 } }] }',
        ),
        (
            '{ plugins: [{ name: "b", enabled: true }] }',
            '{ plugins: [{ name: "b", enabled: false }] }',
        ),
        ('{ plugins: ["a"] }', '{ plugins: ["a"] }'),
    ],
)
def test_what_is_switched_off_stays_in_its_place(before: str, after: str) -> None:
    assert disabled(before, "b") == after
    assert "b" not in on(after)


def test_without_a_list_the_default_is_written_out() -> None:
    assert on(enabled("{}", "burn")) == [*DEFAULT_PLUGINS, "burn"]
    text = "// mine\n{\n  gateway: { port: 1 }, // here\n}\n"
    assert on(enabled(text, "burn")) == [*DEFAULT_PLUGINS, "burn"]
    assert on(disabled(text, "chat")) == [name for name in DEFAULT_PLUGINS if name != "chat"]
    assert disabled(text, "burn") == text
    assert COMMENT.findall(enabled(text, "burn")) == COMMENT.findall(text)


def test_a_text_that_is_no_json5_is_refused_with_its_place() -> None:
    with pytest.raises(ConfigSyntaxError) as told:
        enabled("{ plugins: [ }", "b", "mine.json")
    assert told.value.where.startswith("mine.json:1:")


NAMES = ["a", "b", "c", "d"]
COMMENTS = st.sampled_from(["", " ", "\n    ", " /* why */ ", "\n    // a line\n    "])


@st.composite
def lists(draw: st.DrawFn) -> str:
    """A file as people write them: comments, commas and quotes anywhere."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=4))
    entries = []
    for name in names:
        quote = draw(st.sampled_from(['"', "'"]))
        text = f"{quote}{name}{quote}"
        kind = draw(st.integers(0, 3))
        if kind == 1:
            text = f"{{ name: {text}, options: {{ x: 1 }} }}"
        elif kind == 2:
            text = f'{{ "enabled": {draw(st.sampled_from(["true", "false"]))}, name: {text} }}'
        entries.append(draw(COMMENTS) + text + draw(COMMENTS))
    end = draw(st.sampled_from(["", ","])) if entries else ""
    tail = draw(COMMENTS)
    return f"{{\n  // head\n  plugins: [{','.join(entries)}{end}{tail}],\n  /* foot */ }}\n"


def state(text: str) -> dict[str, bool]:
    plugins: list[Any] = read(text, "f").plain()["plugins"]
    return {
        (each if isinstance(each, str) else each["name"]): isinstance(each, str)
        or each.get("enabled", True)
        for each in plugins
    }


@given(lists(), st.sampled_from(NAMES))
def test_only_the_plugin_that_was_named_changes_and_no_comment_is_lost(
    text: str, name: str
) -> None:
    before = state(text)
    with_it, without = enabled(text, name), disabled(text, name)
    assert state(with_it) == {**before, name: True}
    assert list(state(with_it))[: len(before)] == list(before)
    assert state(without) == ({**before, name: False} if name in before else before)
    for changed in (with_it, without):
        assert COMMENT.findall(changed) == COMMENT.findall(text)
    assert enabled(with_it, name) == with_it
    assert disabled(without, name) == without


@given(lists(), st.sampled_from(NAMES))
def test_off_and_on_again_is_the_text_of_before(text: str, name: str) -> None:
    plugins: list[Any] = read(text, "f").plain()["plugins"]
    if name in plugins:  # as a plain name
        assert enabled(disabled(text, name), name) == text


def test_a_mark_of_the_byte_order_stays() -> None:
    assert enabled('\ufeff{ plugins: ["a"] }', "b") == '\ufeff{ plugins: ["a", "b"] }'
    assert json.loads(disabled("{}", "chat"))
