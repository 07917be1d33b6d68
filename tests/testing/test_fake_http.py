"""Plugins' HTTP in tests: prepared, recorded, refused."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from clawdcore import Context, HostRefused, Message, Needs, hookimpl
from clawdcore.testing import Harness, NetworkRefused

URL = "https://api.example.org/rate"


class Rates:
    """Asks a service for a rate."""

    def __init__(self, url: str = URL) -> None:
        self.url = url

    @hookimpl
    def needs(self) -> Needs:
        return Needs(hosts=("api.example.org", "127.0.0.1"))

    @hookimpl
    def register_commands(self, register: Any, context: Context) -> None:
        @register("rate")
        async def rate(message: Message, of: str = "usd") -> str:
            """Ask a service"""
            params = {"of": of, "api_key": "secret"}
            try:
                answer = await context.http.get(self.url, params=params)
            except httpx.HTTPError as error:
                return f"down: {type(error).__name__}"
            return f"{answer.status_code} {answer.text}"

        @register("elsewhere")
        async def elsewhere(message: Message) -> str:
            """Ask another"""
            return (await context.http.get("https://evil.example.net/")).text


@pytest.mark.plugins(Rates())
def test_a_prepared_answer_comes_and_the_request_can_be_looked_at(bot: Harness) -> None:
    bot.http.answer(URL, json={"rate": 7.1})
    assert bot.say("/rate eur") == '200 {"rate":7.1}'
    [request] = bot.http.requests
    assert request.url.params["of"] == "eur"
    assert "rates" in request.headers["user-agent"]


@pytest.mark.plugins(Rates())
def test_answers_come_in_order_and_the_last_one_holds(bot: Harness) -> None:
    bot.http.answer(URL, status=503)
    bot.http.answer(URL, error=httpx.ConnectError("no route"))
    bot.http.answer(URL, text="1")
    said = [bot.say("/rate") for _ in range(4)]
    assert said == ["503", "down: ConnectError", "200 1", "200 1"]


@pytest.mark.plugins(Rates())
def test_a_query_that_is_named_goes_before_one_that_is_not(bot: Harness) -> None:
    bot.http.answer(URL, text="any")
    bot.http.answer(f"{URL}?of=eur", text="euro")
    assert [bot.say("/rate eur"), bot.say("/rate usd")] == ["200 euro", "200 any"]


@pytest.mark.plugins(Rates())
def test_a_slow_service_takes_virtual_time(bot: Harness) -> None:
    bot.http.answer(URL, text="1", delay=5)
    began = bot.loop.time()
    assert bot.say("/rate") == "200 1"
    assert bot.loop.time() - began == pytest.approx(5, abs=0.1)


@pytest.mark.plugins(Rates())
def test_what_was_not_prepared_is_refused_with_the_line_to_write(bot: Harness) -> None:
    with pytest.raises(NetworkRefused, match=r"bot\.http\.answer\('https://api.example.org/rate"):
        bot.say("/rate")


@pytest.mark.plugins(Rates())
def test_a_host_that_is_not_declared_is_refused(bot: Harness) -> None:
    bot.http.answer("https://evil.example.net/", text="x")
    with pytest.raises(HostRefused) as caught:
        bot.say("/elsewhere")
    assert caught.value.host == "evil.example.net"
    assert "example" not in str(caught.value)  # it may be made of what somebody wrote
    assert bot.http.requests == []


@pytest.mark.plugins(Rates())
def test_a_redirect_leads_to_declared_hosts_only(bot: Harness) -> None:
    bot.http.answer(URL, status=302, headers={"location": "https://evil.example.net/"})
    with pytest.raises(HostRefused):
        bot.say("/rate")


class Service(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        of = parse_qs(urlsplit(self.path).query)["of"][0]
        body = json.dumps({"rate": 7.1, "of": of}).encode()
        self.send_response(200)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Set-Cookie": "session=private",
            "Cache-Control": "max-age=60",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def service() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/rate"
        server.shutdown()
        thread.join()


def test_a_recording_answers_as_the_service_did_and_keeps_no_secret(
    service: str, tmp_path: Path
) -> None:
    file = tmp_path / "recordings" / "rates.json"
    with Harness([Rates(service)], reraise=True) as bot:
        bot.loop.external = True
        bot.http.recorded(file, anew=True)
        first = bot.say("/rate eur")
    written = file.read_text()
    assert "secret" not in written
    assert "private" not in written
    with Harness([Rates(service)], reraise=True) as bot:
        bot.http.recorded(file)
        assert bot.say("/rate eur") == first == '200 {"rate": 7.1, "of": "eur"}'
        with pytest.raises(NetworkRefused):
            bot.say("/rate usd")


def test_a_missing_recording_says_how_to_make_it(tmp_path: Path) -> None:
    with Harness([Rates()]) as bot, pytest.raises(FileNotFoundError, match="CLAWDBOT_RECORD=1"):
        bot.http.recorded(tmp_path / "none.json")
