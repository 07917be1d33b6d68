"""The three look-ups against servers that answer as the services document."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from clawdcore.testing import ADA, User

pytestmark = pytest.mark.network
LI = User(7, "Li", language="zh-hans")
US = User(8, "Sam", language="en-US")
GB = User(9, "Bea", language="en-GB")
# https://open-meteo.com/en/docs/geocoding-api; where nothing is found "results" is left out.
PLACE = {
    "results": [
        {
            "id": 2950159,
            "name": "Berlin",
            "latitude": 52.52437,
            "longitude": 13.41053,
            "elevation": 74.0,
            "feature_code": "PPLC",
            "country_code": "DE",
            "admin1_id": 2950157,
            "timezone": "Europe/Berlin",
            "population": 3426354,
            "postcodes": ["10967", "13347"],
            "country_id": 2921044,
            "country": "Germany",
            "admin1": "Berlin",
        }
    ],
    "generationtime_ms": 0.65,
}
# https://open-meteo.com/en/docs, "JSON Return Object"
FORECAST = {
    "latitude": 52.52,
    "longitude": 13.419998,
    "generationtime_ms": 0.105,
    "utc_offset_seconds": 3600,
    "timezone": "Europe/Berlin",
    "timezone_abbreviation": "GMT+1",
    "elevation": 38.0,
    "current_units": {
        "time": "iso8601",
        "interval": "seconds",
        "temperature_2m": "°C",
        "weather_code": "wmo code",
    },
    "current": {
        "time": "2026-01-02T10:00",
        "interval": 900,
        "temperature_2m": 3.4,
        "weather_code": 61,
    },
    "daily_units": {
        "time": "iso8601",
        "weather_code": "wmo code",
        "temperature_2m_max": "°C",
        "temperature_2m_min": "°C",
    },
    "daily": {
        "time": ["2026-01-02", "2026-01-03", "2026-01-04"],
        "weather_code": [61, 0, 71],
        "temperature_2m_max": [5.0, 6.1, 1.0],
        "temperature_2m_min": [1.2, -2.0, -3.6],
    },
}
# https://frankfurter.dev/v1/, and the schema ratesOnDate of its openapi.json
RATES = {"amount": 1.0, "base": "USD", "date": "2026-01-02", "rates": {"CNY": 7.1, "JPY": 155.27}}
# https://www.mediawiki.org/wiki/Specs/Summary/1.3.0
SUMMARY = {
    "type": "standard",
    "title": "Mercury",
    "displaytitle": "<i>Mercury</i>",
    "namespace": {"id": 0, "text": ""},
    "titles": {"canonical": "Mercury", "normalized": "Mercury", "display": "<i>Mercury</i>"},
    "pageid": 1,
    "lang": "en",
    "dir": "ltr",
    "revision": "1234",
    "tid": "5c1b1b10-0000-11f0-8000-000000000000",
    "timestamp": "2026-01-01T00:00:00Z",
    "description": "first planet from the Sun",
    "content_urls": {
        "desktop": {
            "page": "https://en.wikipedia.org/wiki/Mercury",
            "revisions": "https://en.wikipedia.org/wiki/Mercury?action=history",
            "edit": "https://en.wikipedia.org/wiki/Mercury?action=edit",
            "talk": "https://en.wikipedia.org/wiki/Talk:Mercury",
        },
        "mobile": {
            "page": "https://en.m.wikipedia.org/wiki/Mercury",
            "revisions": "https://en.m.wikipedia.org/wiki/Special:History/Mercury",
            "edit": "https://en.m.wikipedia.org/wiki/Mercury?action=edit",
            "talk": "https://en.m.wikipedia.org/wiki/Talk:Mercury",
        },
    },
    "extract": "A planet.",
    "extract_html": "<p>A planet.</p>",
}


def found(number: int, title: str) -> dict[str, Any]:
    # https://www.mediawiki.org/wiki/API:REST_API/Reference, "Search result object"
    return {
        "id": number,
        "key": title.replace(" ", "_"),
        "title": title,
        "excerpt": '<span class="searchmatch">Mercury</span> is',
        "matched_title": None,
        "description": None,
        "thumbnail": None,
    }


SEARCH = {
    "pages": [found(1, "Mercury"), found(2, "Mercury (planet)"), found(3, "Mercury (element)")]
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


def test_a_language_without_fahrenheit(services: Any) -> None:
    weather(services)
    assert "°C" in services.say("/weather Berlin", sender=GB)


def test_home_is_kept_used_and_forgotten(services: Any) -> None:
    weather(services)
    assert "/weather home" in services.say("/weather")
    assert "Your home is Berlin, Germany now" in services.say("/weather home Berlin")
    assert [request.path for request in services.asked] == ["/v1/search"]
    for text in ("/weather", "/weather home"):
        assert "Berlin, Germany\nNow: 3 °C" in services.say(text)
    assert {request.path for request in services.asked[1:]} == {"/v1/forecast"}
    assert services.asked[-1].query["latitude"] == "52.52437"
    assert "/weather home" in services.say("/weather", sender=LI)
    services.say("/forget")
    services.press("Forget me")
    assert "your home for /weather" in services.sent[-1].text
    assert "/weather home" in services.say("/weather")


def test_an_unknown_home_changes_nothing(services: Any) -> None:
    weather(services)
    services.say("/weather home Berlin")
    services.answers["/v1/search"] = gives({"generationtime_ms": 0.5})
    assert "no place" in services.say("/weather home Xyzzy")
    assert "Berlin" in services.say("/weather")


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


def test_a_weekend_has_the_rates_of_a_working_day(services: Any) -> None:
    services.answers["/v1/2024-03-02"] = gives({**RATES, "date": "2024-03-01"})
    said = services.say("/fx usd cny 2024-03-02")
    assert "no rates of Mar 2, 2024; these are those of Mar 1, 2024." in said


def test_one_target_of_several_without_a_rate(services: Any) -> None:
    services.answers["/v1/latest"] = gives({**RATES, "rates": {"CNY": 7.1}})
    said = services.say("/fx 2 usd cny kwd")
    assert "CN¥14.20" in said and "No rate is known for: KWD" in said


@pytest.mark.parametrize("day", ["1998-12-31", "2026-01-03", "2024-02-30"])
def test_a_day_without_rates(services: Any, day: str) -> None:
    said = services.say(f"/fx usd cny {day}")
    assert "There are rates from Jan 4, 1999 until today" in said and services.asked == []


def test_a_currency_without_a_rate(services: Any) -> None:
    # https://frankfurter.dev/v1/; the schema NotFound of its openapi.json
    services.answers["/v1/latest"] = lambda request: web.json_response(
        {"message": "not found"}, status=404
    )
    services.answers["/v1/currencies"] = gives({"USD": "United States Dollar"})
    assert services.say("/fx 1 usd kwd") == "No rate is known for: KWD"


def test_a_title_of_several_things_has_buttons(services: Any) -> None:
    services.answers["/en/w/rest.php/v1/search/page"] = gives(SEARCH)
    path = "/en/api/rest_v1/page/summary/Mercury"
    services.answers[path] = gives({**SUMMARY, "type": "disambiguation"})
    services.say("/wiki mercury")
    assert services.buttons == ["Mercury (planet)", "Mercury (element)"]
    # https://www.mediawiki.org/wiki/API:Query
    page = {"pageid": 2, "ns": 0, "title": "Mercury (planet)"}
    pages = {"batchcomplete": "", "query": {"pages": {"2": page}}}
    services.answers["/en/w/api.php"] = gives(pages)
    services.answers["/en/api/rest_v1/page/summary/Mercury (planet)"] = gives(SUMMARY)
    assert "A planet." in services.press("Mercury (planet)")
    # Anybody may press, in any language; what comes from a client may be anything.
    assert "A planet." in services.press("Mercury (planet)", sender=ADA)
    asked = len(services.asked)
    data = services._button("Mercury (planet)", None)[1].removesuffix("en:2")
    for forged in ("en:x", "evil.example/:2", "en:", "", "zz:2"):
        services.press("Mercury (planet)", data=data + forged)
    assert services.toasts == ["That article is gone."] * 5 and len(services.asked) == asked


def test_an_article_that_is_gone(services: Any) -> None:
    services.answers["/en/w/rest.php/v1/search/page"] = gives(SEARCH)
    path = "/en/api/rest_v1/page/summary/Mercury"
    services.answers[path] = gives({**SUMMARY, "type": "disambiguation"})
    services.say("/wiki mercury")
    missing = {"query": {"pages": {"2": {"pageid": 2, "missing": ""}}}}
    services.answers["/en/w/api.php"] = gives(missing)
    services.press("Mercury (planet)")
    assert services.toasts == ["That article is gone."]


def test_the_script_of_the_reader(services: Any) -> None:
    services.answers["/zh/w/rest.php/v1/search/page"] = gives({"pages": [found(1, "水星")]})
    services.answers["/zh/api/rest_v1/page/summary/水星"] = gives({**SUMMARY, "extract": "行星。"})
    assert "行星。" in services.say("/wiki 水星", sender=LI)
    assert services.asked[-1].headers["Accept-Language"] == "zh-hans"


def test_an_article_without_an_extract(services: Any) -> None:
    services.answers["/en/w/rest.php/v1/search/page"] = gives({"pages": SEARCH["pages"][:1]})
    path = "/en/api/rest_v1/page/summary/Mercury"
    services.answers[path] = gives({**SUMMARY, "type": "no-extract", "extract": ""})
    assert services.say("/wiki x") == "Mercury\n\nhttps://en.wikipedia.org/wiki/Mercury"


def test_nothing_in_any_wikipedia(services: Any) -> None:
    for edition in ("zh", "en"):
        services.answers[f"/{edition}/w/rest.php/v1/search/page"] = gives({"pages": []})
    assert "没有相关条目" in services.say("/wiki xyzzy", sender=LI)


def test_english_where_the_own_wikipedia_has_nothing(services: Any) -> None:
    services.answers["/zh/w/rest.php/v1/search/page"] = gives({"pages": []})
    services.answers["/en/w/rest.php/v1/search/page"] = gives({"pages": SEARCH["pages"][:1]})
    services.answers["/en/api/rest_v1/page/summary/Mercury"] = gives(SUMMARY)
    assert "A planet." in services.say("/wiki mercury", sender=LI)


def test_a_service_that_is_gone(services: Any) -> None:
    services._run(services.hush())
    assert "can't be reached" in services.say("/fx usd cny")


@pytest.mark.parametrize("text", ["/fx usd cny", "/weather Berlin", "/wiki mercury"])
def test_a_service_that_never_answers(make_services: Any, text: str) -> None:
    services = make_services(timeoutSeconds=0.2)
    services._run(services.stall())
    said = services.say(text)
    assert "takes too long" in said
    assert "\n" not in said


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
