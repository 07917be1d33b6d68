from __future__ import annotations

import io

from clawdbot_llamacpp.progress import shown


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_elsewhere_than_on_a_terminal_every_tenth_is_a_line() -> None:
    out = io.StringIO()
    with shown("tiny.gguf", 200_000_000, out) as report:
        for done in range(0, 200_000_001, 1_000_000):
            report(done)
    lines = out.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[0] == "tiny.gguf: 10 % of 200 MB"
    assert lines[-1] == "tiny.gguf: 100 % of 200 MB"


def test_a_jump_is_one_line() -> None:
    out = io.StringIO()
    with shown("tiny.gguf", 100, out) as report:
        report(57)
    assert out.getvalue() == "tiny.gguf: 50 % of 0 MB\n"


def test_on_a_terminal_it_is_a_bar() -> None:
    out = Terminal()
    with shown("tiny.gguf", 100, out) as report:
        report(100)
    assert "tiny.gguf" in out.getvalue()
    assert "100/100" in out.getvalue()
