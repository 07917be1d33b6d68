"""The three look-ups against servers that answer as the services document."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from clawdcore.testing import User

pytestmark = pytest.mark.network
LI = User(7, "Li", language="zh-hans")
US = User(8, "Sam", language="en-US")
PLACE = {
    "results": [
        {"id": 1, "name": "Berlin", "latitude": 52.52, "longitude": 13.41, "country": "Germany"}
    ]
}
FORECAST = {
    "current": {"time": "2026-01-02T10:00", "temperature_2m": 3.4, "weather_code": 61},
    "daily": {
        "time": ["2026-01-02", "2026-01-03", "2026-01-04"],
        "weather_code": [61, 0, 71],
        "temperature_2m_max": [5.0, 6.1, 1.0],
        "temperature_2m_min": [1.2, -2.0, -3.6],
    },
}
RATES = {"amount": 1.0, "base": "USD", "date": "2026-01-02", "rates": {"CNY": 7.1, "JPY": 155.27}}
SUMMARY = {
    "type": "standard",
    "title": "Mercury",
    "extract": "A planet.",
    "content_urls": {"desktop": {"page": "https://en.wikipedia.org/wiki/Mercury"}},
}
SEARCH = {
    "pages": [
        {"id": 1, "key": "Mercury", "title": "Mercury"},
        {"id": 2, "key": "Mercury_(planet)", "title": "Mercury (planet)"},
        {"id": 3, "key": "Mercury_(element)", "title": "Mercury (element)"},
    ]
}


def gives(value: Any, **headers: str) -> Any:
    return lambda request: web.json_response(value, headers=headers)


def weather(bot: Any) -> None:
    bot.answers["/v1/search"] = gives(PLACE)
    bot.answers["/v1/forecast"] = gives(FORECAST)


def test_weather(services: Any) -> None:
    weather(services)
    said = services.say("/weather Berlin")
    assert "Berlin, Germany\nNow: 3 °C, rain\n" in said
    assert "clear sky" in said and "Open-Meteo.com" in said
    assert services.asked[-1].query["temperature_unit"] == "celsius"


def test_weather_by_region_and_language(services: Any) -> None:
    weather(services)
    assert "°F" in services.say("/weather Berlin", sender=US)
    assert services.asked[-1].query["temperature_unit"] == "fahrenheit"
    assert "现在" in services.say("/weather Berlin", sender=LI)


def test_an_unknown_place(services: Any) -> None:
    services.answers["/v1/search"] = gives({"generationtime_ms": 0.5})
    assert "no place" in services.say("/weather Xyzzy")


def test_rates_have_their_minor_units(services: Any) -> None:
    services.answers["/v1/latest"] = gives(RATES)
    said = services.say("/fx 100 usd to cny jpy")
    assert "CN¥710.00" in said and "¥15,527\n" in said
    assert dict(services.asked[0].query) == {"base": "USD", "symbols": "CNY,JPY"}


def test_rates_of_a_day(services: Any) -> None:
    services.answers["/v1/2024-02-29"] = gives({**RATES, "date": "2024-02-29"})
    assert "Feb 29, 2024" in services.say("/fx usd cny 2024-02-29")


def test_a_currency_without_a_rate(services: Any) -> None:
    services.answers["/v1/currencies"] = gives({"USD": "United States Dollar"})
    assert services.say("/fx 1 usd kwd") == "No rate is known for: KWD"


def test_a_title_of_several_things_has_buttons(services: Any) -> None:
    services.answers["/en/w/rest.php/v1/search/page"] = gives(SEARCH)
    path = "/en/api/rest_v1/page/summary/Mercury"
    services.answers[path] = gives({**SUMMARY, "type": "disambiguation"})
    services.say("/wiki mercury")
    assert services.buttons == ["Mercury (planet)", "Mercury (element)"]
    pages = {"query": {"pages": {"2": {"pageid": 2, "title": "Mercury (planet)"}}}}
    services.answers["/en/w/api.php"] = gives(pages)
    services.answers["/en/api/rest_v1/page/summary/Mercury (planet)"] = gives(SUMMARY)
    assert "A planet." in services.press("Mercury (planet)")


def test_english_where_the_own_wikipedia_has_nothing(services: Any) -> None:
    services.answers["/zh/w/rest.php/v1/search/page"] = gives({"pages": []})
    services.answers["/en/w/rest.php/v1/search/page"] = gives({"pages": SEARCH["pages"][:1]})
    services.answers["/en/api/rest_v1/page/summary/Mercury"] = gives(SUMMARY)
    assert "A planet." in services.say("/wiki mercury", sender=LI)


@pytest.mark.parametrize("command", ["/weather", "/fx", "/fx usd", "/fx usd eux", "/wiki"])
def test_wrong_words_get_usage_and_example(services: Any, command: str) -> None:
    said = services.say(command)
    assert f"{command.split(maxsplit=1)[0]} " in said and services.asked == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda r: web.Response(status=500), "can't be reached"),
        (lambda r: web.Response(status=429), "too many requests"),
        (lambda r: web.Response(text="<html>"), "can't read"),
        (lambda r: web.Response(text="[1"), "can't read"),
        (lambda r: web.json_response({"rates": {"CNY": "x"}, "date": "2026-01-02"}), "can't read"),
        (lambda r: web.Response(body=b" " * 1_100_000), "can't read"),
        (lambda r: web.Response(status=302, headers={"Location": str(r.url)}), "can't read"),
    ],
)
def test_a_bad_answer_is_one_sentence(services: Any, answer: Any, words: str) -> None:
    services.answers["/v1/latest"] = answer
    said = services.say("/fx usd cny")
    assert words in said and "Frankfurter" in said and "\n" not in said
    assert len(services.asked) <= 4


def test_a_service_that_is_gone(services: Any) -> None:
    services._run(services.hush())
    assert "can't be reached" in services.say("/fx usd cny")


def test_a_service_that_never_answers(make_services: Any) -> None:
    services = make_services(timeoutSeconds=0.2)
    services._run(services.stall())
    assert "takes too long" in services.say("/fx usd cny")


def test_a_fresh_answer_is_used_again(services: Any) -> None:
    services.answers["/v1/latest"] = gives(RATES, **{"Cache-Control": "max-age=3600"})
    assert services.say("/fx usd cny") == services.say("/fx 1 usd cny")
    assert len(services.asked) == 1


def test_a_stale_answer_is_asked_about(services: Any) -> None:
    services.answers["/v1/latest"] = gives(RATES, ETag='"a"')
    first = services.say("/fx usd cny")
    services.answers["/v1/latest"] = lambda request: web.Response(status=304)
    assert services.say("/fx usd cny") == first
    assert services.asked[1].headers["If-None-Match"] == '"a"'
