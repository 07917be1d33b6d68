"""Why a call gets no answer, in the shape in which OpenAI's API says it."""

from __future__ import annotations

import math
from typing import Final

import msgspec

from ..errors import (
    BackendError,
    BackendUnavailable,
    BadAnswer,
    ContextOverflow,
    ModelNotFound,
    Overloaded,
    RequestRefused,
    ServerSlow,
    TooLate,
)

GONE: Final = 499
"""The status under which calls are counted whose caller hung up; nobody ever gets it."""
RETRY_LATER: Final = 5.0
"""Seconds to come back after, where a server is away and nobody knows for how long."""


class Problem(Exception):
    """Ends a call. ``status`` is the HTTP status, ``param`` the field that is wrong, or "".

    ``retry_after`` is in seconds, None where to come back would not help. Nothing in
    it was written by the caller, except names of fields.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str = "",
        param: str = "",
        retry_after: float | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.retry_after = retry_after
        self._headers = headers

    @property
    def kind(self) -> str:
        """OpenAI's ``type``: whose fault it is, roughly."""
        if self.status == 401:
            return "authentication_error"
        if self.status == 429:
            return "rate_limit_error"
        return "server_error" if self.status >= 500 else "invalid_request_error"

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """The headers that belong to it; ``Retry-After`` is in whole seconds, rounded up."""
        if self.retry_after is None:
            return self._headers
        seconds = max(1, math.ceil(self.retry_after))
        return (*self._headers, (b"retry-after", str(seconds).encode()))

    def fields(self) -> dict[str, str | None]:
        """What stands under ``error``."""
        return {
            "message": self.message,
            "type": self.kind,
            "param": self.param or None,
            "code": self.code or None,
        }

    def body(self) -> bytes:
        """The answer's JSON."""
        return msgspec.json.encode({"error": self.fields()})


def problem_of(error: BackendError) -> Problem:
    """What a caller is told of ``error``."""
    text = str(error)
    if isinstance(error, Overloaded):
        code = "too_late" if isinstance(error, TooLate) else "overloaded"
        return Problem(429, text, code=code, retry_after=error.retry_after)
    if isinstance(error, ModelNotFound):
        # Its first sentence may quote the name that the caller gave.
        message = f"No such model is served. {error.fix}".strip()
        return Problem(404, message, code="model_not_found", param="model")
    if isinstance(error, ContextOverflow):
        return Problem(400, text, code="context_length_exceeded")
    if isinstance(error, RequestRefused):
        status = error.status if 400 <= error.status < 500 else 400
        return Problem(status, text, code="request_refused")
    if isinstance(error, BadAnswer):
        return Problem(502, text, code="bad_answer")
    if isinstance(error, ServerSlow):
        return Problem(504, text, code="server_slow")
    if isinstance(error, BackendUnavailable):
        return Problem(503, text, code="model_unavailable", retry_after=RETRY_LATER)
    return Problem(502, text, code="generation_failed")


def wrong_json(error: Exception) -> Problem:
    """What is wrong with a body that msgspec could not read, and where.

    msgspec's own words may quote a value; only its place and the expected type are kept.
    """
    if isinstance(error, RecursionError):
        return Problem(400, "The body is nested too deeply.", code="invalid_json")
    if isinstance(error, UnicodeDecodeError):
        return Problem(400, "The body is not UTF-8.", code="invalid_json")
    text = str(error)
    if not isinstance(error, msgspec.ValidationError):
        _, _, place = text.partition("(byte ")
        where = f" at byte {place.rstrip(')')}" if place else ": it ends too early"
        return Problem(400, f"The body is not JSON{where}.", code="invalid_json")
    what, _, path = text.partition(" - at `")
    param = path.rstrip("`").removeprefix("$").removeprefix(".")
    if what.startswith("Object missing required field `"):
        missing = what.removeprefix("Object missing required field `").rstrip("`")
        param = f"{param}.{missing}" if param else missing
        what = "is missing"
    elif what.startswith("Expected"):
        what = f"is wrong: {what[0].lower()}{what[1:]}"
    else:
        what = "is out of range, or not one of the values that are known"
    return Problem(400, f"{param or 'The body'} {what}.", code="invalid_value", param=param)
