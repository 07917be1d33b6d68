"""What Google's errors mean, and what to do about each. Nothing that it wrote is quoted. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .contract import EngineFailed, RefusedByEngine

QUOTA_REST: Final = 60.0
"""Seconds without a word from it: its quotas are per minute (cloud.google.com/translate/quotas)."""

QUOTAS: Final = frozenset(
    {"dailyLimitExceeded", "rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"}
)
"""Reasons that make a 403 a matter of quota (v2 answers so besides 429)."""

REASONS: Final[Mapping[str, str]] = {
    "SERVICE_DISABLED": "Enable the Cloud Translation API in its project.",
    "accessNotConfigured": "Enable the Cloud Translation API in its project.",
    "BILLING_DISABLED": "Enable billing in its project.",
    "API_KEY_SERVICE_BLOCKED": "Allow the Cloud Translation API among the key's restrictions.",
    "API_KEY_IP_ADDRESS_BLOCKED": "Allow this machine's address among the key's restrictions.",
    "API_KEY_HTTP_REFERRER_BLOCKED": "Remove the websites from the key's restrictions.",
    "CONSUMER_SUSPENDED": "Ask Google why its project is suspended.",
}
"""What to do about a 403, by the reason that it gives (google.api.ErrorReason)."""

FORBIDDEN: Final = (
    "Enable the Cloud Translation API and billing in its project, and check the restrictions "
    "of google.apiKey or the role of google.credentials."
)


def trouble(engine: str, status: int, reasons: frozenset[str], rest: float | None) -> EngineFailed:
    """The error for an answer with ``status``.

    ``reasons`` are those in its body, ``rest`` the seconds of its ``Retry-After``, if any.
    """
    if status == 429 or (status == 403 and reasons & QUOTAS):
        return EngineFailed(
            engine,
            f"answered {status}: the quota of its project is used up",
            fix="Raise the quotas of the Cloud Translation API in the Google Cloud console, "
            "or put another engine before it.",
            rest=QUOTA_REST if rest is None else rest,
        )
    if status == 401:
        return locked_out(engine)
    if status == 403:
        fix = next((REASONS[each] for each in sorted(reasons) if each in REASONS), FORBIDDEN)
        return EngineFailed(engine, "answered 403: this is not allowed", fix=fix, rest=rest)
    if status == 413:
        return RefusedByEngine(engine, "takes no request as large as this")
    if status >= 500:
        return EngineFailed(
            engine,
            f"answered {status}: it is out of order",
            fix="It is asked again by itself; if this lasts, see status.cloud.google.com, "
            "or check google.endpoint in its options.",
            rest=rest,
        )
    return EngineFailed(
        engine, f"answered {status}", fix="Check google.endpoint in its options.", rest=rest
    )


def locked_out(engine: str) -> EngineFailed:
    """The error for a key or an account that is wrong or missing."""
    return EngineFailed(
        engine, "does not let us in", fix="Set google.apiKey or google.credentials."
    )
