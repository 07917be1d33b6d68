"""The demo's terminal: answers above the line that is being typed."""

from __future__ import annotations

import io
from collections.abc import Callable

from clawdcore.cli.demo_screen import Screen, cells


def screen(
    out: io.StringIO,
    ask: Callable[[str], str] = str,
    typed: str = "",
    columns: int = 40,
) -> Screen:
    return Screen(out, colour=False, ask=ask, typed=lambda: typed, columns=lambda: columns)


def test_pieces_appear_at_once_and_lines_follow_each_other() -> None:
    out = io.StringIO()
    shown = screen(out)
    shown.more("Hel")
    assert out.getvalue() == "Hel"
    shown.more("lo")
    shown.line("note")
    shown.line("next")
    assert out.getvalue() == "Hello\nnote\nnext\n"


def test_while_somebody_types_only_whole_lines_appear_and_above() -> None:
    out = io.StringIO()

    def ask(prompt: str) -> str:
        shown.more("Hel")
        assert out.getvalue() == ""
        shown.more("lo")
        shown.end()
        return "line"

    shown = screen(out, ask, typed="typ")
    assert shown.ask("you") == "line"
    assert out.getvalue() == "\r\x1b[JHello\nyou › typ"


def test_a_typed_line_of_several_rows_is_cleared_as_a_whole() -> None:
    out = io.StringIO()

    def ask(prompt: str) -> str:
        shown.line("note")
        return ""

    shown = screen(out, ask, typed="x" * 30, columns=10)
    shown.ask("you")
    assert out.getvalue().startswith("\x1b[3A\r\x1b[Jnote\n")


def test_an_answer_that_typing_interrupts_goes_on_behind_an_ellipsis() -> None:
    out = io.StringIO()

    def ask(prompt: str) -> str:
        shown.more("lo")
        shown.end()
        return ""

    shown = screen(out, ask)
    shown.more("Hel")
    shown.ask("you")
    assert out.getvalue() == "Hel\n\r\x1b[J…lo\nyou › "


def test_colours_in_the_prompt_are_marked_for_readline() -> None:
    shown = Screen(io.StringIO(), colour=True, ask=lambda prompt: prompt)
    assert shown.ask("you") == "\001\x1b[1m\002you › \001\x1b[0m\002"


def test_wide_characters_take_two_columns() -> None:
    assert cells("ab") == 2
    assert cells("你好") == 4
    assert cells("e\u0301") == 1
