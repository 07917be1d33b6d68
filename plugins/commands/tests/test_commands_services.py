"""Every service down, limited, closed or wrong is one sentence, in each language."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from clawdbot_commands.texts import failed
from clawdcore.testing import ADA, User

pytestmark = pytest.mark.network
LI = User(7, "Li", language="zh-hans")
PLACE = {"results": [{"name": "Berlin", "latitude": 52.5, "longitude": 13.4}]}
PAGES = {"pages": [{"id": 1, "key": "Mercury", "title": "Mercury"}]}
# What is asked, the paths that answer well before, the path that fails, and whose it is.
STEPS = [
    ("/weather Berlin", {}, "/v1/search", "Open-Meteo"),
    ("/weather Berlin", {"/v1/search": PLACE}, "/v1/forecast", "Open-Meteo"),
    ("/fx usd cny", {}, "/v1/latest", "Frankfurter"),
    ("/wiki mercury", {}, "/{}/w/rest.php/v1/search/page", "Wikipedia"),
    (
        "/wiki mercury",
        {"/{}/w/rest.php/v1/search/page": PAGES},
        "/{}/api/rest_v1/page/summary/Mercury",
        "Wikipedia",
    ),
]
BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "down": ({"status": 500}, "down"),
    "away": ({"status": 503, "headers": {"Retry-After": "0"}}, "down"),
    # Open-Meteo limits with a JSON body, without Retry-After: https://open-meteo.com/en/docs
    "limited": ({"status": 429, "text": '{"error": true, "reason": "Minutely limit"}'}, "busy"),
    "closed": ({"status": 403}, "refused"),
    "html": ({"text": "<html>", "content_type": "text/html"}, "wrong"),
    "truncated": ({"text": '{"results": [{"na'}, "wrong"),
    "fields": ({"text": '{"results": [{}], "pages": [{}], "current": {}, "rates": 1}'}, "wrong"),
    "nan": (
        {
            "text": '{"results": [{"name": "x", "latitude": NaN, "longitude": 1}],'
            ' "rates": {"CNY": NaN}, "date": "2026-01-02", "pages": [{"id": NaN}],'
            ' "current": {"temperature_2m": NaN}}'
        },
        "wrong",
    ),
    "huge": (
        {
            "text": '{"results": [{"name": "x", "latitude": 1e999, "longitude": 1}],'
            ' "rates": {"CNY": 1e999}, "date": "2026-01-02", "pages": [{"id": 1e999}],'
            ' "current": {"temperature_2m": 1e999, "weather_code": 1e999}, "daily": {}}'
        },
        "wrong",
    ),
    "long": ({"body": b" " * 1_100_000}, "wrong"),
}
BROKEN["down"][0]["headers"] = {"Retry-After": "0"}


def answer(**given: Any) -> Any:
    return lambda request: web.Response(**given)


@pytest.mark.parametrize("name", BROKEN)
def test_one_sentence(services: Any, name: str) -> None:
    given, trouble = BROKEN[name]
    for sender, edition in ((ADA, "en"), (LI, "zh")):
        for text, before, path, service in STEPS:
            services.answers.clear()
            services.asked.clear()
            # The English Wikipedia is asked where the reader's fails: it shares the fault.
            for code in (edition, "en"):
                for earlier, value in before.items():
                    services.answers[earlier.format(code)] = lambda request, value=value: (
                        web.json_response(value)
                    )
                services.answers[path.format(code)] = answer(**given)
            said = services.say(text, sender=sender)
            assert said == failed(service, trouble, sender.language)
            assert "\n" not in said
            assert len(services.asked) <= 8
