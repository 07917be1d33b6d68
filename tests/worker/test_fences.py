"""A notice below an answer that broke off is no part of its code."""

from __future__ import annotations

import pytest

from clawdcore.edge.markdown import parse_markdown
from clawdcore.worker.fences import closing
from clawdcore.worker.notices import cut


@pytest.mark.parametrize(
    ("text", "fence"),
    [
        ("no code", ""),
        ("```\nx\n```", ""),
        ("```py\nx", "```"),
        ("````\n```\nx", "````"),
        ("~~~\n```\nx", "~~~"),
        ("```\nx\n``` y", "```"),
        ("``` x ``` is code in a line", ""),
        ("1. a:\n   ```\n   x", "   ```"),
        ("- ```\n  x", "  ```"),
        ("```\nx\n```\n~~~\ny", "~~~"),
    ],
)
def test_the_line_that_closes_what_is_open(text: str, fence: str) -> None:
    assert closing(text) == fence


@pytest.mark.parametrize("text", ["```py\nx = 1", "- a:\n  ```\n  x = 1\n", "x = **1", "> x = 1"])
def test_a_notice_is_below_the_code(text: str) -> None:
    shown, entities = parse_markdown(cut(text, "too late", "markdown"))
    assert shown.endswith("1\n\n[too late]")
    notice = len(shown) - len("[too late]")
    assert all(entity.offset + entity.length < notice for entity in entities)


def test_a_notice_is_written_in_the_format_of_the_answer() -> None:
    assert cut("a ", "b < c") == "a\n\n[b < c]"
    assert cut("a", "b < c", "html") == "a\n\n[b &lt; c]"
