"""No city, no article and no amount that somebody asks about is in a line of our log."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from aiohttp import web

pytestmark = pytest.mark.network
CITY = "Zyxwvutsville"
ARTICLE = "Qwertzuiopism"
AMOUNT = "98765.43"
# Lines of libraries are the core's business: it shows their fixed part alone (clawdcore.privacy).
OURS = "clawd"


def gives(value: Any) -> Any:
    return lambda request: web.json_response(value)


@pytest.mark.parametrize("works", [True, False])
def test_what_is_asked_is_in_no_line_even_at_debug(
    services: Any, caplog: pytest.LogCaptureFixture, works: bool
) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("clawdbot_commands.test").debug("heard")
        if works:
            place = {"results": [{"name": CITY, "latitude": 52.5, "longitude": 13.4}]}
            services.answers["/v1/search"] = gives(place)
            services.answers["/v1/latest"] = gives({"date": "2026-01-02", "rates": {"CNY": 7}})
        for text in (
            f"/weather {CITY}",
            f"/weather home {CITY}",
            f"/wiki {ARTICLE}",
            f"/fx {AMOUNT} usd cny",
            f"/fx {AMOUNT} {ARTICLE}",
            "/weather",
        ):
            assert services.say(text), text
    ours = [record for record in caplog.records if record.name.startswith(OURS)]
    assert "heard" in [record.getMessage() for record in ours]
    words = "\n".join(f"{record.getMessage()} {record.exc_text or ''}" for record in ours)
    for secret in (CITY, ARTICLE, AMOUNT):
        assert secret.casefold() not in words.casefold()
