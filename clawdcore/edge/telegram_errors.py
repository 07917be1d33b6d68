"""What went wrong with a call, told from what python-telegram-bot and httpx raise."""

from __future__ import annotations

import warnings
from datetime import timedelta
from typing import Final

import httpx
from telegram import error as ptb
from telegram.warnings import PTBDeprecationWarning

from .api import CallError, Conflict, FloodWait, Reason, Rejected, Unreachable

NEVER_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
"""What httpx raises before a request's first byte leaves."""
REASONS: Final = (
    ("message is not modified", Reason.NOT_MODIFIED),
    ("message to edit not found", Reason.NOT_FOUND),
    ("message to delete not found", Reason.NOT_FOUND),
    ("message to react not found", Reason.NOT_FOUND),
    ("message to be replied not found", Reason.NOT_FOUND),
    ("message_id_invalid", Reason.NOT_FOUND),
    ("message can't be edited", Reason.NOT_ALLOWED),
    ("message can't be deleted", Reason.NOT_ALLOWED),
    ("message is too long", Reason.TOO_LONG),
    ("message_too_long", Reason.TOO_LONG),
    ("reaction_invalid", Reason.NO_REACTIONS),
    ("reactions_too_many", Reason.NO_REACTIONS),
    ("chat_write_forbidden", Reason.BLOCKED),
)
"""How the texts of refusals begin, in small letters: Telegram tells them apart by text alone."""


def reason_of(text: str) -> Reason:
    """What a refusal (400) of this text means, "Bad Request: " before it or not."""
    said = text.lower().removeprefix("bad request: ")
    return next((reason for start, reason in REASONS if said.startswith(start)), Reason.OTHER)


def words(error: ptb.TelegramError) -> str:
    """An error in a word or two. httpx's texts name hosts, never tokens."""
    if isinstance(error, ptb.TimedOut):
        return "timed out"
    # PTB quotes an answer that it can't read; it may hold what somebody wrote.
    text = str(error).partition(". Parsing the server response")[0]
    return text.partition("httpx.")[2].partition(":")[0] or text[:100]


def call_error(error: ptb.TelegramError) -> CallError:
    """The error that says what there is to do about it."""
    if isinstance(error, ptb.RetryAfter):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PTBDeprecationWarning)
            wait = error.retry_after
        return FloodWait(wait.total_seconds() if isinstance(wait, timedelta) else float(wait))
    if isinstance(error, ptb.Conflict):
        return Conflict(words(error))
    if isinstance(error, ptb.ChatMigrated):
        return Rejected(words(error), Reason.MIGRATED, moved_to=error.new_chat_id)
    if isinstance(error, ptb.Forbidden):
        return Rejected(words(error), Reason.BLOCKED)
    if isinstance(error, ptb.InvalidToken) and str(error).startswith("Unauthorized"):
        # The poll decides whether the token is gone for good; until then it may be a slip.
        return Unreachable(words(error), sent=False)
    if isinstance(error, ptb.BadRequest | ptb.InvalidToken):
        return Rejected(words(error), reason_of(str(error)))
    return Unreachable(words(error), sent=_may_have_taken_effect(error))


def _may_have_taken_effect(error: ptb.TelegramError) -> bool:
    """Whether a call that failed with a network or server error may have been carried out."""
    if isinstance(error, ptb.NetworkError):
        cause = error.__cause__
        if cause is None or isinstance(cause, ptb.TelegramError):
            return False  # a status of 500 and above: the server says that it failed
        return not isinstance(cause, NEVER_SENT)
    return True  # a success whose body can't be read
