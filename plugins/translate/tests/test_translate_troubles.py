from __future__ import annotations

import pytest

from clawdbot_translate.engines.contract import RefusedByEngine
from clawdbot_translate.engines.troubles import QUOTA_REST, trouble


@pytest.mark.parametrize(
    ("status", "reasons", "words", "rest"),
    [
        (401, set(), "google.apiKey", None),
        (403, set(), "Enable the Cloud Translation API and billing", None),
        (403, {"forbidden", "SERVICE_DISABLED"}, "Enable the Cloud Translation API in", None),
        (403, {"API_KEY_IP_ADDRESS_BLOCKED"}, "this machine's address", None),
        (403, {"BILLING_DISABLED"}, "Enable billing", None),
        (403, {"userRateLimitExceeded"}, "quota", QUOTA_REST),
        (429, set(), "quota", QUOTA_REST),
        (500, set(), "out of order", None),
        (503, set(), "out of order", None),
        (404, set(), "google.endpoint", None),
    ],
)
def test_each_says_what_happened_and_what_to_do(
    status: int, reasons: set[str], words: str, rest: float | None
) -> None:
    error = trouble("google", status, frozenset(reasons), None)
    told = str(error)
    assert words in told and told.startswith("the translation engine google ") and error.fix
    assert "\n" not in told and error.rest == rest


def test_what_the_server_says_about_its_rest_counts_before_ours() -> None:
    for status in (429, 503):
        assert trouble("google", status, frozenset(), 7.0).rest == 7.0


def test_a_reason_that_we_do_not_know_is_not_quoted() -> None:
    assert "canary" not in str(trouble("google", 403, frozenset({"canary"}), None))


def test_too_large_a_request_is_refused_and_no_illness() -> None:
    assert isinstance(trouble("google", 413, frozenset(), None), RefusedByEngine)
