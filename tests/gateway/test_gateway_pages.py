"""What the gateway says of itself: models, health, numbers, the document."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from clawdcore.backend import Replica
from clawdcore.errors import BackendUnavailable
from clawdcore.gateway.counting import Window
from clawdcore.gateway.keys import Key, Keys
from clawdcore.gateway.machine import Used, look
from clawdcore.gateway.openapi import document
from clawdcore.vitals import PluginUse, Queue

ROOT = Path(__file__).parents[2]
CHAT = "/v1/chat/completions"
GOOD = {"model": "small", "messages": [{"role": "user", "content": "Hello"}]}
TOKEN = {"authorization": "Bearer s3cret"}
AWAY = {
    "client": "a program on another machine",
    "proxy": "a proxy on this machine",
    "name": "a page in a browser on this machine",
}


def protect(house: Any) -> None:
    house.keys = Keys([Key.of("default", "s3cret")])


def queue(*replicas: Replica, server: str = "main") -> Queue:
    return Queue(
        server=server,
        limit=4,
        ceiling=8,
        bound=16,
        running=2,
        waiting={"control": 0, "direct": 3, "group": 1, "media": 0},
        accepted=10,
        finished=7,
        refused={"full": 1},
        eta=1.5,
        replicas=replicas,
    )


UP = Replica(name="a:1", up=True, running=2, waiting=1, response_time=0.4)
DOWN = Replica(name="b:1", up=False)


def test_models_are_listed_with_their_provider(house: Any) -> None:
    listed = house.ask("/v1/models").json
    assert listed["object"] == "list"
    assert [model["id"] for model in listed["data"]] == ["main/small", "far/org/large"]
    assert {model["object"] for model in listed["data"]} == {"model"}


@pytest.mark.parametrize("name", ["far/org/large", "org/large"])
def test_a_model_is_found_by_either_name(house: Any, name: str) -> None:
    assert house.ask(f"/v1/models/{name}").json["id"] == "far/org/large"


def test_an_unknown_model_is_a_404(house: Any) -> None:
    answer = house.ask("/v1/models/hush")
    assert (answer.status, answer.error["code"]) == (404, "model_not_found")
    assert "hush" not in answer.error["message"]


def test_models_that_cannot_be_asked_are_a_503(house: Any) -> None:
    async def fail() -> Any:
        raise BackendUnavailable("It is away.")

    house.rooms.models = fail
    assert house.ask("/v1/models").status == 503


@pytest.mark.parametrize(
    ("change", "status", "state"),
    [
        ({}, 200, "ok"),
        ({"rung": 2, "rung_name": "shorter"}, 200, "degraded"),
        ({"resting": {"ocr": 3.0}}, 200, "degraded"),
        ({"degraded": ("main/small",)}, 200, "degraded"),
        ({"trouble": ("The disk is full.",)}, 200, "degraded"),
        ({"queues": (queue(UP, DOWN),)}, 200, "degraded"),
        ({"queues": (queue(DOWN), queue(server="b"))}, 200, "degraded"),
        ({"queues": (queue(DOWN), queue(DOWN, server="b"))}, 503, "down"),
        ({"queues": ()}, 200, "ok"),
    ],
)
def test_health_says_how_the_bot_is(house: Any, change: Any, status: int, state: str) -> None:
    house.rooms.change = change
    answer = house.ask("/health")
    assert (answer.status, answer.json["status"]) == (status, state)
    assert answer.json["resting"] == change.get("resting", {})
    assert answer.json["ladder"]["rung"] == change.get("rung", 0)


def test_ready_is_for_load_balancers(house: Any) -> None:
    assert house.ask("/ready").status == 200
    house.rooms.ready = False
    answer = house.ask("/ready")
    assert (answer.status, answer.json) == (503, {"ready": False})


@pytest.mark.parametrize("who", AWAY)
def test_others_see_that_it_lives_and_no_more_without_a_token(house: Any, who: str) -> None:
    protect(house)
    headers: dict[str, str] = {}
    if who == "client":
        house.peer = "10.1.2.3"
    else:
        headers = {"x-forwarded-for": "1.2.3.4"} if who == "proxy" else {"host": "evil.example"}
    health = house.ask("/health", headers=headers)
    assert (health.status, health.json) == (200, {"status": "ok"})
    assert house.ask("/ready", headers=headers).status == 200
    assert house.ask("/metrics", headers=headers).status == 401
    assert house.ask("/metrics", headers=headers | TOKEN).status == 200
    assert "queues" in house.ask("/health", headers=headers | TOKEN).json


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
def test_programs_on_this_machine_see_numbers_without_a_token(house: Any, peer: str) -> None:
    protect(house)
    house.peer = peer
    assert house.ask("/metrics").status == 200
    assert house.ask("/v1/models").status == 401


def families(house: Any) -> dict[str, Any]:
    text = house.ask("/metrics").body.decode()
    return {family.name: family for family in text_string_to_metric_families(text)}


def test_prometheus_gets_every_queue_and_replica(house: Any) -> None:
    house.rooms.change = {"queues": (queue(UP, DOWN),)}
    house.gateway.used = Used(50.0, 25.0, 10.0)
    found = families(house)

    def values(name: str) -> dict[Any, float]:
        return {tuple(x for _, x in sorted(s.labels.items())): s.value for s in found[name].samples}

    assert values("clawdbot_queue_waiting")[("direct", "main")] == 3
    assert values("clawdbot_queue_refused") == {("full", "main"): 1}
    assert values("clawdbot_replica_up") == {("a:1", "main"): 1, ("b:1", "main"): 0}
    assert values("clawdbot_replica_response_time_seconds") == {("a:1", "main"): 0.4}
    assert values("clawdbot_messages") == {("answered",): 7}
    assert values("clawdbot_machine_cpu_ratio") == {(): 0.5}
    assert not found["clawdbot_queue_tokens_per_second"].samples


def test_calls_are_counted_by_route_and_status(house: Any) -> None:
    house.chat()
    house.chat(model="nobody")
    house.ask("/hush/hush")
    house.ask("/v1/models/hush")
    found = families(house)
    counted = {
        (s.labels["route"], s.labels["status"]): s.value
        for s in found["clawdbot_gateway_requests"].samples
        if s.name.endswith("_total")
    }
    assert counted == {
        (CHAT, "200"): 1,
        (CHAT, "404"): 1,
        ("other", "404"): 1,
        ("/v1/models/{model}", "404"): 1,
    }
    tokens = {
        s.labels["direction"]: s.value
        for s in found["clawdbot_gateway_tokens"].samples
        if s.name.endswith("_total")
    }
    assert tokens == {"prompt": 4, "completion": 3}


def test_who_hangs_up_is_counted_as_499(house: Any) -> None:
    async def scene() -> None:
        house.rooms.fake.delay = 10.0
        caller = house.caller(CHAT, GOOD)
        await asyncio.sleep(1)
        caller.hang_up()
        await caller.task

    async def both() -> Any:
        await scene()
        return await house.call("/metrics")

    assert f'route="{CHAT}",status="499"}} 1.0' in house.run(both).body.decode()


def test_every_metric_is_described_and_every_description_is_of_a_metric(house: Any) -> None:
    house.ask("/health")
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    described = set(re.findall(r"^\| `(clawdbot_\w+)` \|", page, re.MULTILINE))
    exposed = set()
    for family in house.gateway._counters.registry.collect():
        exposed.add(f"{family.name}_total" if family.type == "counter" else family.name)
    assert described == exposed


def test_what_each_plugin_costs_is_told(house: Any) -> None:
    use = PluginUse(name="ocr", calls=4, seconds=2.5, failures={"timeout": 3}, rest=12.0)
    house.rooms.change = {"plugins": (use,)}
    said = house.ask("/metrics").body.decode()
    assert 'clawdbot_plugin_calls_total{plugin="ocr"} 4.0' in said
    assert 'clawdbot_plugin_seconds_total{plugin="ocr"} 2.5' in said
    assert 'clawdbot_plugin_failures_total{kind="timeout",plugin="ocr"} 3.0' in said
    [told] = house.ask("/metrics", query="format=json").json["plugins"]
    assert told == msgspec.to_builtins(use)


def test_every_number_of_the_json_is_described(house: Any) -> None:
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    _, _, part = page.partition("## As JSON")
    described = set(re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE))
    assert described == set(house.ask("/metrics", query="format=json").json)


def test_no_name_of_a_metric_is_more_than_prometheus_takes(house: Any) -> None:
    for family in house.gateway._counters.registry.collect():
        assert re.fullmatch(r"clawdbot_[a-z0-9_]+", family.name)
        assert family.documentation


@pytest.mark.parametrize(
    ("query", "accept", "json"),
    [
        ("format=json", "", True),
        ("", "application/json", True),
        ("", "application/json, text/plain;q=0.5", True),
        ("", "text/plain;version=0.0.4", False),
        ("", "*/*", False),
        ("format=prometheus", "", False),
    ],
)
def test_numbers_come_as_json_where_asked_for(
    house: Any, query: str, accept: str, json: bool
) -> None:
    answer = house.ask("/metrics", query=query, headers={"accept": accept})
    assert answer.headers["content-type"].startswith("application/json" if json else "text/plain")


def test_the_json_has_what_a_monitor_shows(house: Any) -> None:
    house.gateway.used = Used(12.0, 40.0, 70.0)
    house.rooms.change = {"queues": (queue(UP, DOWN),)}

    async def scene() -> Any:
        await house.call(CHAT, GOOD)
        house.rooms.fake.enqueue(BackendUnavailable("Away."))
        await house.call(CHAT, GOOD)
        return await house.call("/metrics", query="format=json")

    numbers = house.run(scene).json
    assert (numbers["queue_size"], numbers["active_requests"]) == (4, 2)
    assert (numbers["success_rate"], numbers["mean_response_time"]) == (0.5, 0.0)
    assert (numbers["cpu_percent"], numbers["disk_percent"]) == (12.0, 70.0)
    assert numbers["replicas"][0] == {
        "server": "main",
        "name": "a:1",
        "up": True,
        "running": 2,
        "waiting": 1,
        "response_time": 0.4,
    }
    assert numbers["queues"][0]["eta"] == 1.5


def test_requests_a_second_are_those_of_the_last_minute(house: Any) -> None:
    async def scene() -> list[float]:
        found = []
        for accepted, pause in ((5, 10), (35, 20), (35, 100), (36, 0)):
            house.rooms.admission.accepted = accepted
            house.gateway.look()
            answer = await house.call("/metrics", query="format=json")
            found.append(answer.json["requests_per_second"])
            await asyncio.sleep(pause)
        return found

    # 30 within the first 10 s; the same over 30 s; then one in a whole minute.
    assert house.run(scene) == [0.0, 3.0, 1.0, round(1 / 60, 3)]


def test_a_window_forgets_what_is_older() -> None:
    window = Window(60)
    assert window.rate(5.0) == 0.0
    for second in range(120):
        window.add(float(second), 2, 3.0)
    assert window.count(119.5) == 120
    assert window.rate(119.5) == 2.0
    assert window.amount(119.5) == 180.0
    assert window.count(150.0) == 58
    assert window.count(500.0) == 0


def test_a_look_at_the_machine_gives_percentages(tmp_path: Path) -> None:
    used = look(tmp_path)
    assert all(0 <= value <= 100 for value in (used.cpu, used.memory, used.disk))


def test_the_document_has_every_route_and_every_status_of_it(house: Any) -> None:
    made = house.ask("/openapi.json").json
    assert made == document()
    assert made["openapi"].startswith("3.1")
    routes = {*house.gateway._pages, *house.gateway._dialects, "/v1/models/{model}"}
    assert set(made["paths"]) == routes
    chat = made["paths"][CHAT]["post"]["responses"]
    assert {"200", "400", "401", "404", "413", "415", "429", "502", "503", "504"} <= set(chat)
    assert chat["429"]["headers"]["Retry-After"]


def test_the_schemas_of_the_document_are_schemas_and_say_what_is_read() -> None:
    made = document()
    for schema in made["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    whole = {"$ref": "#/components/schemas/ChatBody", "components": made["components"]}
    checker = jsonschema.Draft202012Validator(whole)
    assert checker.is_valid(GOOD)
    assert not checker.is_valid({**GOOD, "messages": []})
    assert not checker.is_valid({**GOOD, "max_tokens": 0})


def test_every_error_has_the_shape_that_the_document_promises(house: Any) -> None:
    made = document()
    schema = {"$ref": "#/components/schemas/Error", "components": made["components"]}
    for path, fields in ((CHAT, b"{"), ("/nothing", None), (CHAT, {**GOOD, "model": "x"})):
        jsonschema.validate(house.ask(path, fields).json, schema)
