"""The look-ups as tools that the chat model calls, with right and with wrong arguments."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

import pytest
from aiohttp import web

from clawdcore import ToolCall
from clawdcore.testing import FakeBackend

pytestmark = pytest.mark.network
PLACE = {"results": [{"name": "Berlin", "latitude": 52.5, "longitude": 13.4, "country": "Germany"}]}
RATES = {"amount": 1.0, "base": "USD", "date": "2026-01-02", "rates": {"CNY": 7.1}}


@pytest.fixture
def chatting(make_services: Any) -> Any:
    points = entry_points(group="clawdbot", name="chat")
    if not points:
        pytest.skip("the plugin chat is not installed; it is what lets a model call tools")
    (point,) = points
    return make_services(point.load()(), backend=FakeBackend(tools=True), timeoutSeconds=30)


def result(bot: Any, name: str, arguments: str) -> str:
    """What the model is told after it called the tool."""
    bot.backend.enqueue(ToolCall("1", name, arguments))
    bot.backend.enqueue("Here you are.")
    assert "Here you are." in bot.say("please look that up")
    content: str = bot.backend.requests[-1].turns[-1].content
    return content


def test_a_model_gets_rates(chatting: Any) -> None:
    chatting.answers["/v1/latest"] = lambda request: web.json_response(RATES)
    told = result(chatting, "fx", '{"question": "100 usd to cny"}')
    assert "CN¥710.00" in told


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("fx", "{}"),
        ("fx", '{"question": "dollars please"}'),
        ("fx", '{"question": 5}'),
        ("fx", '{"amount": 100, "from": "usd"}'),
        ("fx", "usd to cny"),
        ("fx", "[]"),
        ("weather", '{"city": ["Berlin"]}'),
        ("weather", "{}"),
        ("wiki", "{}"),
        ("wiki", '{"query": null}'),
    ],
)
def test_wrong_arguments_are_told_to_the_model(chatting: Any, name: str, arguments: str) -> None:
    told = result(chatting, name, arguments)
    assert told.startswith("Error:") and "\n" not in told
    assert chatting.asked == []


def test_a_failing_service_is_told_to_the_model(chatting: Any) -> None:
    chatting.answers["/v1/latest"] = lambda request: web.Response(status=429)
    told = result(chatting, "fx", '{"question": "usd cny"}')
    assert told.startswith("Frankfurter gets too many requests")


def test_a_model_may_use_a_home_but_not_change_it(chatting: Any) -> None:
    chatting.answers["/v1/search"] = lambda request: web.json_response(PLACE)
    chatting.say("/weather home Berlin")
    asked = len(chatting.asked)
    chatting.answers["/v1/search"] = lambda request: web.json_response({"generationtime_ms": 1})
    assert "no place" in result(chatting, "weather", '{"city": "home Paris"}')
    assert chatting.asked[asked].query["name"] == "home Paris"
    result(chatting, "weather", "{}")
    assert chatting.asked[-1].query["latitude"] == "52.5"
