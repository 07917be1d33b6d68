"""Whether a Markdown text ends inside a block of code; pure."""

from __future__ import annotations

import re
from typing import Final

_FENCE: Final = re.compile(r"[ \t]*(?:(?:[-*+>]|\d{1,9}[.)])[ \t]+)*(`{3,}|~{3,})(.*)")


def closing(text: str) -> str:
    """The line that closes the block of code that ``text`` breaks off in, or ""."""
    fence = ""
    for line in text.splitlines():
        found = _FENCE.match(line)
        if found is None:
            continue
        marks, rest = found.groups()
        if not fence:
            if "`" not in rest or marks[0] == "~":  # else it is code within the line
                fence = " " * found.start(1) + marks
        elif not rest.strip() and marks.startswith(fence.lstrip()):
            fence = ""
    return fence
