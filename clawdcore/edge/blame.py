"""Which plugin brought a worker down: read from where its threads stood; pure.

Python's faulthandler writes the files and functions of each thread, and no values:
at a crash first the thread that crashed ("Current thread"), at a stall all of them, with
the one that runs the event loop among them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_CURRENT: Final = re.compile(r"^Current thread\b.*$", re.MULTILINE)
_THREAD: Final = re.compile(r"^(?:Current t|T)hread\b.*$", re.MULTILINE)
_FRAME: Final = re.compile(r'^  File "(.*)", line \d+ in ', re.MULTILINE)
LOOP: Final = "asyncio/base_events.py"
"""Where the thread that runs the event loop stands, deeper down."""


def culprit(said: str, homes: Mapping[str, str], *, stalled: bool) -> str:
    """The plugin whose code ran where the worker crashed or stood still, "" if none is seen.

    ``said`` is what faulthandler wrote, ``homes`` where each plugin's code stands: a folder
    with "/" at its end, or a file.
    """
    for file in _loop(said) if stalled else _crashed(said):  # the innermost frame first
        for plugin, home in homes.items():
            if home and (file.startswith(home) if home.endswith("/") else file == home):
                return plugin
    return ""


def _crashed(said: str) -> list[str]:
    """The files of the thread that crashed."""
    current = _CURRENT.search(said)
    return _FRAME.findall(_thread(said, current.end())) if current is not None else []


def _loop(said: str) -> list[str]:
    """The files of the thread that runs the event loop."""
    for found in _THREAD.finditer(said):
        files = _FRAME.findall(_thread(said, found.end()))
        if any(file.endswith(LOOP) for file in files):
            return files
    return []


def _thread(said: str, start: int) -> str:
    after = _THREAD.search(said, start)
    return said[start : after.start() if after is not None else len(said)]
