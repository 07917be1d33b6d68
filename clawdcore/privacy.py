"""What may be said of errors and records: types, places and ids, never what people wrote.

Messages of foreign exceptions often quote the input that caused them, and so do
the arguments of libraries' log records.
"""

from __future__ import annotations

import asyncio
import logging
import re
import sys
import threading
import traceback
import warnings
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Final
from urllib.parse import quote

log = logging.getLogger(__name__)

FRAMES: Final = 4
"""Innermost frames that a log line names."""
OURS: Final = ("clawdcore", "clawdbot")
"""Loggers whose names begin so follow the rule above; of all others nothing is believed."""
SHORTEST_SECRET: Final = 4
"""Characters; hiding a shorter one would tear holes into every line and so tell it."""
NOISY: Final = ("httpx", "httpcore", "telegram", "aiohttp", "asyncio", "hpack", "h11")
_TOKEN: Final = re.compile(r"(?<!\d)\d{3,}(?::|%3A)[\w-]{20,}", re.IGNORECASE)


def describe(error: BaseException) -> str:
    """``ValueError at parse (fx.py:31) < convert (fx.py:80)``, without the message."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    places = " < ".join(
        f"{frame.name} ({Path(frame.filename).name}:{frame.lineno})" for frame in reversed(frames)
    )
    name = type(error).__name__
    return f"{name} at {places}" if places else name


def trace(error: BaseException, *, told: tuple[type[BaseException], ...] = ()) -> str:
    """The traceback with all frames and causes, and without the messages.

    Errors of the types ``told`` are known to quote nobody and keep theirs.
    """
    lines: list[str] = []
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        lines += [trace(before, told=told), "", "which led to:", ""]
    lines.append("Traceback (most recent call last):")
    for frame in traceback.extract_tb(error.__traceback__):
        lines.append(f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}')
        if frame.line:
            lines.append(f"    {frame.line}")
    lines.append(f"{type(error).__name__}{f': {error}' if isinstance(error, told) else ''}")
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            lines += [f"  | {line}" for line in trace(each, told=told).splitlines()]
    return "\n".join(lines)


class Redactor(logging.Formatter):
    """Formats records without secrets, foreign arguments, and texts of exceptions.

    Of a library's record it shows the template and where it was logged; one
    without arguments may be a finished sentence with anything in it, so that
    only the place is shown.
    """

    def __init__(self, *, secrets: Iterable[str] = (), debug: bool = False) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        known = {secret for secret in secrets if len(secret) >= SHORTEST_SECRET}
        known |= {quote(secret, safe="") for secret in known}
        # The longest first, so that one that begins with another goes whole.
        listed = "|".join(re.escape(secret) for secret in sorted(known, key=len, reverse=True))
        self._secrets = re.compile(listed) if listed else None
        self._debug = debug

    def format(self, record: logging.LogRecord) -> str:
        """As the base class does, with secrets replaced by ``***``."""
        safe = logging.makeLogRecord(record.__dict__)
        safe.exc_text = None  # another handler's formatter may have put the message there
        if not record.name.startswith(OURS):
            place = f"({record.filename}:{record.lineno})"
            safe.msg = f"{record.msg} {place}" if record.args else f"a message {place}"
            safe.args = None
        text = super().format(safe)
        if self._secrets is not None:
            text = self._secrets.sub("***", text)
        return _TOKEN.sub("***", text)

    def formatException(self, ei: object) -> str:  # noqa: N802 - logging's name
        """Type and frames only."""
        error = ei[1] if isinstance(ei, tuple) else None
        if not isinstance(error, BaseException):
            return ""
        return trace(error) if self._debug else describe(error)


class _Stream(logging.StreamHandler[Any]):
    """To standard error; a record that can't be formatted is not quoted, as logging would."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Drop what a library says below WARNING, whatever level it gave its logger."""
        worthwhile = record.levelno >= logging.WARNING or record.name.startswith(OURS)
        return worthwhile and bool(super().filter(record))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        place = f"{record.name} ({record.filename}:{record.lineno})"
        self.stream.write(
            f"a record of {place} can't be logged: {type(sys.exception()).__name__}\n"
        )


def set_up_logging(*, debug: bool, secrets: Iterable[str] = ()) -> None:
    """Log to standard error: our own words, and of libraries only warnings.

    ``secrets`` never appear, whoever logs them.
    """
    handler = _Stream()
    handler.setFormatter(Redactor(secrets=secrets, debug=debug))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("clawdcore").setLevel(logging.DEBUG if debug else logging.INFO)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


def describe_uncaught() -> None:
    """Log what nobody caught, in threads and finalizers too, by type and place; warnings as well.

    Python would print their texts to standard error, and a warning's source line.
    """

    def at_exit(
        kind: type[BaseException], error: BaseException, _: TracebackType | None = None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, None)  # the one that has no text of anybody's
        else:
            _tell("nobody caught", error)

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            _tell("a thread died", args.exc_value)

    def unraisable(args: Any) -> None:
        if args.exc_value is not None:
            _tell("a finalizer failed", args.exc_value)

    def warned(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: object = None,
        line: str | None = None,
    ) -> None:
        log.warning("%s at %s:%d", category.__name__, Path(filename).name, lineno)

    sys.excepthook = at_exit
    threading.excepthook = in_thread
    sys.unraisablehook = unraisable
    warnings.showwarning = warned


def describe_failure(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """An asyncio exception handler; the default one prints texts and arguments.

    See :meth:`asyncio.loop.call_exception_handler` for ``context``. Its message
    is fixed where it comes without an exception; with one it may quote arguments.
    """
    error = context.get("exception")
    task = context.get("task") or context.get("future")
    of = f" in {_name(task)}" if isinstance(task, asyncio.Task) else ""
    if isinstance(error, BaseException):
        _tell(f"nobody caught{of}", error)
    else:
        log.error("asyncio%s: %s", of, context.get("message", ""))


def _tell(what: str, error: BaseException) -> None:
    log.error("%s: %s", what, describe(error))
    if log.isEnabledFor(logging.DEBUG):
        log.debug("%s", trace(error))


def _name(task: asyncio.Task[Any]) -> str:
    return str(getattr(task.get_coro(), "__qualname__", "a task"))
