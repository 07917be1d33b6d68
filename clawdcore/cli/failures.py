"""An exception as lines for people: no traceback reaches them without ``--debug``."""

from __future__ import annotations

from ..errors import ClawdBotError
from ..privacy import describe, trace


def for_people(error: BaseException) -> list[str] | None:
    """One line for each problem; None for what must go on (``KeyboardInterrupt``).

    An error that we did not foresee is named by type and place only, since its
    text may quote what a user wrote.
    """
    if isinstance(error, BaseExceptionGroup):
        lines: list[str] = []
        for each in error.exceptions:
            found = for_people(each)
            if found is None:
                return None
            lines += [line for line in found if line not in lines]
        return lines
    if isinstance(error, ClawdBotError):
        return str(error).splitlines()
    if not isinstance(error, Exception):
        return None
    return [f"an unforeseen error: {describe(error)}. Run again with --debug for the traceback."]


def traceback_of(error: BaseException) -> str:
    """The traceback for ``--debug``, with the texts of our own errors only."""
    return trace(error, told=(ClawdBotError,))
