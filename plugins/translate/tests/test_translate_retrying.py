from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdbot_translate.engines.health import LONGEST_TOLD
from clawdbot_translate.engines.retrying import told_rest

WALL = 784_111_777.0  # Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "120"}, 120.0),
        ({"retry-after": " 7 "}, 7.0),
        ({"Retry-After": "Sun, 06 Nov 1994 08:51:37 GMT"}, 120.0),
        ({"Retry-After": "Sunday, 06-Nov-94 08:51:37 GMT"}, 120.0),
        ({"Retry-After": "Sun Nov  6 08:51:37 1994"}, 120.0),
        ({"Retry-After": "Sun, 06 Nov 1994 08:00:00 GMT"}, 0.0),
        ({"Retry-After": "86400"}, LONGEST_TOLD),
        ({"Retry-After": "9" * 5000}, LONGEST_TOLD),
        ({"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}, LONGEST_TOLD),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "٣"}, None),
        ({}, None),
    ],
)
def test_seconds_and_dates_are_understood_and_bounded(
    headers: dict[str, str], seconds: float | None
) -> None:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    assert told_rest(httpx.Headers(raw), WALL) == seconds


def test_a_date_counts_from_the_servers_own_clock() -> None:
    headers = {
        "Retry-After": "Mon, 07 Nov 1994 00:00:30 GMT",
        "Date": "Mon, 07 Nov 1994 00:00:00 GMT",
    }
    assert told_rest(headers, WALL) == 30.0


@given(st.text(), st.text(), st.floats(0, 1e11))
def test_no_header_breaks_it(value: str, date: str, wall: float) -> None:
    rest = told_rest({"Retry-After": value, "Date": date}, wall)
    assert rest is None or 0 <= rest <= LONGEST_TOLD
