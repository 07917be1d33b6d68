"""Where the monitor looks, with which token, and what it says of answers that are none."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from clawdcore.cli.monitor_ask import NoLook, Place, client_for, look_at, place_of
from clawdcore.cli.monitor_look import Look
from clawdcore.config import Config, load

PLACE = Place("http://bot.example:18780", "a-secret")
GOOD = {
    "status": "ok",
    "uptime": 1.0,
    "queue_size": 3,
    "active_requests": 0,
    "requests_per_second": 0.0,
}


def config(folder: Path, token: str | None = None, **gateway: Any) -> Config:
    file = folder / "clawdbot.json"
    values: dict[str, Any] = {
        "gateway": gateway,
        "agents": {"defaults": {"workspace": "workspace"}},
    }
    if token is not None:
        values["channels"] = {"telegram": {"botToken": token}}
    file.write_text(json.dumps(values))
    return load(file)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:700"),
        ("0.0.0.0", "http://127.0.0.1:700"),
        ("::", "http://[::1]:700"),
        ("10.1.2.3", "http://10.1.2.3:700"),
    ],
)
def test_the_configurations_address_can_be_called(tmp_path: Path, host: str, url: str) -> None:
    assert place_of(config(tmp_path, host=host, port=700), None, None) == Place(url)


def test_which_token_goes_where(tmp_path: Path) -> None:
    own = config(tmp_path, auth={"token": "own"})
    assert place_of(own, None, None).token == "own"
    assert place_of(own, None, "given").token == "given"
    assert place_of(own, "https://bot.example/", "given") == Place("https://bot.example", "given")
    assert place_of(own, "https://bot.example", None).token == ""
    assert "own" not in repr(place_of(own, None, None))


def test_the_token_that_the_bot_made_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "workspace" / "7"
    folder.mkdir(parents=True)
    (folder / "gateway-token").write_text("made\n")
    assert place_of(config(tmp_path, "7:x", host="0.0.0.0"), None, None).token == "made"
    assert place_of(config(tmp_path, "8:x", host="0.0.0.0"), None, None).token == ""
    assert place_of(config(tmp_path, "../7:x", host="0.0.0.0"), None, None).token == ""


def test_a_gateway_that_is_off_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoLook, match=r"^gateway.enabled is false.*true, or .* --url\.$"):
        place_of(config(tmp_path, enabled=False), None, None)


@pytest.mark.parametrize(
    "url", ["bot", "ftp://bot", "http://", "http://a:b@bot", "http://bot:port", ""]
)
def test_what_is_no_address_is_said_and_not_repeated(tmp_path: Path, url: str) -> None:
    with pytest.raises(NoLook) as told:
        place_of(config(tmp_path), url, None)
    assert str(told.value) == (
        "--url is no address of a gateway. It looks like http://127.0.0.1:18780."
    )


def looked(answer: httpx.Response | Exception) -> Look:
    def handle(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "http://bot.example:18780/metrics?format=json"
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def scene() -> Look:
        async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as client:
            return await look_at(client, PLACE)

    return asyncio.run(scene())


def test_a_good_answer_is_a_look() -> None:
    assert looked(httpx.Response(200, json=GOOD)).queue_size == 3


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.ConnectError(""), "no bot answers at http://bot.example:18780. Start it"),
        (httpx.RemoteProtocolError(""), "no bot answers at http://bot.example:18780. Start it"),
        (httpx.ReadTimeout(""), "does not answer within 5 s. See the bot's log."),
        (httpx.Response(401), "without its token. Give it as CLAWDBOT_TOKEN or --token"),
        (httpx.Response(421), "without its token. Give it as CLAWDBOT_TOKEN or --token"),
        (httpx.Response(502), "answers HTTP 502. See the bot's log"),
        (httpx.Response(404), "is no gateway of ClawdBot (HTTP 404). Check gateway.port"),
        (httpx.Response(302), "is no gateway of ClawdBot (HTTP 302). Check gateway.port"),
        (httpx.Response(200, text="<p>"), "is no gateway of ClawdBot (HTTP 200)."),
        (httpx.Response(200, json={**GOOD, "uptime": "1"}), "is no gateway of ClawdBot"),
    ],
)
def test_answers_that_are_none(answer: httpx.Response | Exception, said: str) -> None:
    with pytest.raises(NoLook) as told:
        looked(answer)
    assert said in str(told.value)
    assert "\n" not in str(told.value) and "a-secret" not in str(told.value)


def test_the_token_is_sent_as_a_bearer() -> None:
    async def scene() -> str:
        async with client_for(PLACE) as client:
            return client.headers["authorization"]

    assert asyncio.run(scene()) == "Bearer a-secret"


def test_this_machine_is_asked_past_any_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    async def trusts(url: str) -> bool:
        async with client_for(Place(url)) as client:
            return client.trust_env

    for here in ("http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1"):
        assert not asyncio.run(trusts(here))
    assert asyncio.run(trusts("http://bot.example"))
