"""What can go wrong with one attempt, and the named error of each. No IO here.

A server's own words are looked at and never repeated: they may quote the user.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

import msgspec

from clawdcore import (
    BackendError,
    BackendUnavailable,
    BadAnswer,
    ContextOverflow,
    EngineDead,
    GenerationFailed,
    ModelNotFound,
    Overloaded,
    RequestRefused,
    ServerSlow,
    StreamCut,
)

LONGEST_WAIT: Final = 3600.0
"""Seconds; a Retry-After beyond it is taken as this."""
DEAD: Final = (b"enginecore", b"enginedead", b"engine is dead", b"engine dead")
"""How vLLM's error messages say that its engine has died (v1/engine/exceptions.py)."""
TOO_LONG: Final = (
    b"context length",
    b"context_length_exceeded",
    b"maximum model length",
    b"exceed_context_size",
)
"""How servers say that a request is longer than the context: vLLM, OpenAI, llama.cpp."""


class Kind(Enum):
    """What happened, as far as the next step depends on it."""

    UNREACHABLE = "unreachable"
    CUT = "cut"
    DEAD = "dead"
    SLOW = "slow"
    BUSY = "busy"
    BROKEN = "broken"
    REFUSED = "refused"
    OUT_OF_TIME = "out of time"


class AttemptFailed(Exception):
    """One attempt at one server failed; ``error`` is what it means if none follows."""

    def __init__(self, kind: Kind, error: BackendError) -> None:
        super().__init__(kind.value)
        self.kind = kind
        self.error = error


class Where(msgspec.Struct, frozen=True):
    """What an error names: the provider's key in the file, the server, the model."""

    provider: str
    server: str
    model: str = ""

    def __str__(self) -> str:
        return f"{self.provider} at {self.server}"


def unreachable(where: Where) -> AttemptFailed:
    """Nobody takes a connection there."""
    return AttemptFailed(
        Kind.UNREACHABLE,
        BackendUnavailable(
            f"{where} can't be reached.",
            fix=f"Start it, or correct models.providers.{where.provider}.baseUrl.",
        ),
    )


def cut(where: Where, *, begun: bool) -> AttemptFailed:
    """The connection ended too early."""
    error: BackendError
    if begun:
        error = StreamCut(f"{where} broke off in the middle of the answer.", fix="Ask again.")
    else:
        error = BackendUnavailable(
            f"{where} closed the connection without an answer.", fix="Look at its log."
        )
    return AttemptFailed(Kind.CUT, error)


def slow(where: Where, seconds: float, *, option: str, begun: bool) -> AttemptFailed:
    """Nothing came for ``seconds``; ``option`` is the setting that says how long to wait."""
    fix = f"Raise the option {option} of {where.provider}, or look at the server's load."
    error: BackendError
    if begun:
        error = GenerationFailed(f"{where} sent nothing for {seconds:g} s.", fix=fix)
    else:
        error = ServerSlow(f"{where} began no answer within {seconds:g} s.", fix=fix)
    return AttemptFailed(Kind.SLOW, error)


def out_of_time(where: Where, *, begun: bool) -> AttemptFailed:
    """The request's own deadline passed."""
    error: BackendError
    if begun:
        error = GenerationFailed(f"{where} did not finish the answer in time.", fix="Ask again.")
    else:
        error = ServerSlow(f"{where} began no answer before the deadline.", fix="Ask again later.")
    return AttemptFailed(Kind.OUT_OF_TIME, error)


def broken(where: Where, what: str, *, begun: bool) -> AttemptFailed:
    """What came is not what the API promises; ``what`` says it in words of our own."""
    kind = GenerationFailed if begun else BadAnswer
    fix = f"See that models.providers.{where.provider} leads to an OpenAI-compatible server."
    return AttemptFailed(Kind.BROKEN, kind(f"{where} {what}.", fix=fix))


def of_status(
    where: Where,
    status: int,
    body: bytes,
    *,
    wait: float,
    retry_after: str = "",
    begun: bool = False,
) -> AttemptFailed:
    """What an answer of ``status`` means, or an error event that carries it.

    ``wait`` is the measured seconds until there is room again, told where the
    server's header ``retry_after`` says nothing. ``begun`` is whether text came.
    """
    if begun:
        return AttemptFailed(
            Kind.DEAD if says(body, DEAD) else Kind.BROKEN,
            GenerationFailed(f"{where} failed in the middle of the answer.", fix="Ask again."),
        )
    if status >= 500 and status != 501:
        return _of_server(where, status, body, wait=wait, retry_after=retry_after)
    if 300 <= status < 400:
        return AttemptFailed(
            Kind.REFUSED,
            BadAnswer(
                f"{where} redirects, and a key must not follow.",
                fix=f"Put the final address into models.providers.{where.provider}.baseUrl.",
            ),
        )
    if status == 429:
        return _busy(where, wait, retry_after)
    return AttemptFailed(Kind.REFUSED, _of_request(where, status, body))


def _of_server(
    where: Where, status: int, body: bytes, *, wait: float, retry_after: str
) -> AttemptFailed:
    if says(body, DEAD):
        return dead(where)
    if status == 503:
        return _busy(where, wait, retry_after)
    return AttemptFailed(
        Kind.BROKEN,
        BackendUnavailable(f"{where} failed (HTTP {status}).", fix="Look at its log."),
    )


def dead(where: Where) -> AttemptFailed:
    """The server is there, and its engine is not."""
    return AttemptFailed(
        Kind.DEAD,
        EngineDead(f"The engine of {where} has died.", fix="Restart the server; its log says why."),
    )


def _busy(where: Where, wait: float, retry_after: str) -> AttemptFailed:
    told = seconds(retry_after)
    return AttemptFailed(
        Kind.BUSY,
        Overloaded(
            f"{where} takes no more requests now.",
            retry_after=wait if told is None else told,
            fix="Ask again later.",
        ),
    )


def _of_request(where: Where, status: int, body: bytes) -> BackendError:
    if status in (401, 403):
        return BackendUnavailable(
            f"{where} refuses the key (HTTP {status}).",
            fix=f"Set models.providers.{where.provider}.apiKey.",
        )
    if status in (400, 413, 422) and says(body, TOO_LONG):
        return ContextOverflow(
            f"The request is longer than the context of {where.model or 'the model'}.",
            fix="Shorten it.",
        )
    if status == 501:
        return ModelNotFound(
            f"{where} can't do that with {where.model or 'its model'}.",
            fix="Name another model, or set api to the other of its two values.",
        )
    if status == 404 and b"model" in body.lower():
        return ModelNotFound(
            f"{where} does not serve {where.model or 'the model'}.",
            fix="Name one that it lists under /v1/models.",
        )
    if status == 404:
        return RequestRefused(
            f"{where} has no such address (HTTP 404).",
            status=status,
            fix=f"End models.providers.{where.provider}.baseUrl with /v1, or change api.",
        )
    return RequestRefused(
        f"{where} refused the request (HTTP {status}).",
        status=status,
        fix="The model may not take pictures, tools or a schema; the server's log says more.",
    )


def says(body: bytes, phrases: tuple[bytes, ...]) -> bool:
    """Whether a server's answer holds one of ``phrases``, whatever its letters' case."""
    text = body.lower()
    return any(phrase in text for phrase in phrases)


def seconds(retry_after: str) -> float | None:
    """The header ``Retry-After`` where it is a number, the form that servers use (RFC 9110)."""
    try:
        value = float(retry_after)
    except ValueError:
        return None
    return min(value, LONGEST_WAIT) if value >= 0 else None
