"""What the demo shows of the bot's standard error, and what it keeps back."""

from __future__ import annotations

import io
import os

import pytest

from clawdcore.cli.demo_stderr import Stderr


class Shown(io.BytesIO):
    """Not a terminal, and not closed by what writes to it."""


def fed(*pieces: bytes, forward_all: bool = False) -> tuple[Stderr, bytes]:
    """A process that printed ``pieces`` and ended; what was shown."""
    out = Shown()
    stderr = Stderr(forward_all=forward_all, out=out)
    writing = os.dup(stderr.theirs)
    stderr.started()
    for piece in pieces:
        os.write(writing, piece)
    os.close(writing)
    stderr.close()
    return stderr, out.getvalue()


def test_everything_before_ready_is_shown_and_nothing_after() -> None:
    stderr, shown = fed(b"note: x\nclawdbot: rea", b"dy: @bot, polling\nlog line\n", b"more\n")
    assert stderr.wait_ready()
    assert shown == b"note: x\n"


def test_a_progress_bar_is_shown_as_it_moves() -> None:
    bar = [b"\r10 %", b"\r20 %", b"\n\x1b[?25h", b"clawdbot: ready: @bot\n"]
    stderr, shown = fed(*bar)
    assert stderr.wait_ready()
    assert shown == b"\r10 %\r20 %\n\x1b[?25h"


@pytest.mark.parametrize("pieces", [[b"clawdbot: really\n"], [b"clawdbot: re", b"ally\n"]])
def test_a_line_that_only_begins_alike_is_shown(pieces: list[bytes]) -> None:
    stderr, shown = fed(*pieces)
    assert not stderr.wait_ready()
    assert shown == b"clawdbot: really\n"


def test_an_end_in_the_middle_of_a_line_loses_nothing() -> None:
    stderr, shown = fed(b"one\nclawdbot: re")
    assert not stderr.wait_ready()
    assert shown == b"one\nclawdbot: re"


def test_the_last_words_are_those_for_people() -> None:
    stderr, _ = fed(b"clawdbot: ready: @bot\n2026 WARNING x\nclawdbot: the token was revoked.\n")
    assert stderr.last_words() == ["the token was revoked."]


def test_debugging_shows_everything() -> None:
    _, shown = fed(b"a\nclawdbot: ready: @bot\nb", b"c\n", forward_all=True)
    assert shown == b"a\nclawdbot: ready: @bot\nbc\n"
