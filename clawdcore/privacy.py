"""What may be said of an error: its type and where it was raised, never its text.

Messages of foreign exceptions often quote the input that caused them.
"""

from __future__ import annotations

import logging
import re
import traceback
from pathlib import Path
from typing import Final

FRAMES: Final = 4
"""Innermost frames that a log line names."""
NOISY: Final = ("httpx", "httpcore", "telegram", "aiohttp", "asyncio", "hpack", "h11")
_TOKEN: Final = re.compile(r"\b\d{3,}:[A-Za-z0-9_-]{20,}")


def describe(error: BaseException) -> str:
    """``ValueError at parse (fx.py:31) < convert (fx.py:80)``, without the message."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    places = " < ".join(
        f"{frame.name} ({Path(frame.filename).name}:{frame.lineno})" for frame in reversed(frames)
    )
    name = type(error).__name__
    return f"{name} at {places}" if places else name


class Redactor(logging.Formatter):
    """Formats records without tokens, and exceptions without their text."""

    def format(self, record: logging.LogRecord) -> str:
        """As the base class does, with bot tokens replaced by ``***``."""
        return _TOKEN.sub("***", super().format(record))

    def formatException(self, ei: object) -> str:  # noqa: N802 - logging's name
        """Type and frames only."""
        error = ei[1] if isinstance(ei, tuple) else None
        return describe(error) if isinstance(error, BaseException) else ""


def set_up_logging(*, debug: bool) -> None:
    """Log to standard error: our own words, and of libraries only warnings."""
    handler = logging.StreamHandler()
    handler.setFormatter(Redactor("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("clawdcore").setLevel(logging.DEBUG if debug else logging.INFO)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
