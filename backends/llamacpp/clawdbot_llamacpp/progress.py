"""Shows how far a download is: a bar on a terminal, a line every tenth elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TextIO

STEP: Final = 10
"""Per cent between two lines."""


@contextmanager
def shown(title: str, total: int, stream: TextIO | None = None) -> Iterator[Callable[[int], None]]:
    """Gives a function that takes the bytes that are there, of ``total``."""
    out = stream or sys.stderr
    if not out.isatty():
        yield _lines(title, total, out)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(file=out)) as bar:
        task = bar.add_task(title, total=total)
        yield lambda done: bar.update(task, completed=done)


def _lines(title: str, total: int, out: TextIO) -> Callable[[int], None]:
    told = 0

    def tell(done: int) -> None:
        nonlocal told
        percent = 100 * done // total
        if percent >= told + STEP:
            told = percent - percent % STEP
            out.write(f"{title}: {told} % of {total / 1e6:,.0f} MB\n")
            out.flush()

    return tell
