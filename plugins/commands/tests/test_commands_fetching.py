"""Tries, pauses and bounds of a look-up, with a clock that only pauses move."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from clawdbot_commands.fetching import Fetcher, NotThere, ServiceFailed, agent, retry_after

URL = "https://service.test/v1"
GOOD = httpx.Response(200, json={"ok": 1})


class Service:
    """Answers with each of ``answers``, the last one again and again."""

    def __init__(self, *answers: httpx.Response | Exception, **options: Any) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.pauses: list[float] = []
        self.now = 0.0
        bounds = {"seconds": 8.0, "most": 1000, "entries": 10, "memory": 10_000, **options}
        # A test may replace what handles them.
        transport = httpx.MockTransport(lambda request: self.handle(request))  # noqa: PLW0108
        client = httpx.AsyncClient(transport=transport, follow_redirects=True, max_redirects=3)
        self.fetcher = Fetcher(
            lambda: client,
            clock=lambda: self.now,
            sleep=self.sleep,
            **bounds,
        )

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def ask(self, url: str = URL, language: str = "en") -> Any:
        return asyncio.run(self.fetcher.json(url, language=language))

    def trouble(self) -> str:
        with pytest.raises(ServiceFailed) as told:
            self.ask()
        return told.value.trouble


def refusal(status: int, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers={k.replace("_", "-"): v for k, v in headers.items()})


def test_two_more_tries_with_pauses() -> None:
    service = Service(refusal(500), httpx.ConnectError("x"), GOOD)
    assert service.ask() == {"ok": 1}
    assert service.pauses == [0.5, 1.5]


@pytest.mark.parametrize("answer", [refusal(500), refusal(503), httpx.ReadError("x")])
def test_not_more_than_three_tries(answer: Any) -> None:
    service = Service(answer)
    assert service.trouble() == "down" and len(service.requests) == 3


@pytest.mark.parametrize(("status", "trouble"), [(429, "busy"), (503, "down")])
def test_retry_after_is_waited_for_where_it_fits(status: int, trouble: str) -> None:
    service = Service(refusal(status, Retry_After="3"), GOOD)
    assert service.ask() == {"ok": 1} and service.pauses == [3.0]
    hopeless = Service(refusal(status, Retry_After="30"), GOOD)
    assert hopeless.trouble() == trouble
    assert (len(hopeless.requests), hopeless.pauses) == (1, [])


def test_a_service_is_left_alone_until_its_time_comes() -> None:
    service = Service(refusal(429, Retry_After="30"), GOOD)
    assert service.trouble() == "busy"
    service.now = 20.0
    assert service.trouble() == "busy" and len(service.requests) == 1
    service.now = 25.0
    assert service.ask() == {"ok": 1}
    assert service.pauses == [5.0] and len(service.requests) == 2


def test_one_service_resting_does_not_hold_up_another() -> None:
    service = Service(refusal(429, Retry_After="30"), GOOD)
    assert service.trouble() == "busy"
    assert service.ask("https://other.test/") == {"ok": 1}


def test_a_limit_without_a_time_is_not_tried_again() -> None:
    service = Service(refusal(429), GOOD)
    assert service.trouble() == "busy" and len(service.requests) == 1


def test_retry_after_as_a_date_and_what_is_none() -> None:
    date = {"date": "Fri, 02 Jan 2026 10:00:00 GMT"}
    assert retry_after({**date, "retry-after": "Fri, 02 Jan 2026 10:00:07 GMT"}) == 7.0
    assert retry_after({**date, "retry-after": "Fri, 02 Jan 2026 09:00:00 GMT"}) == 0.0
    assert retry_after({"retry-after": "999999999"}) == 3600.0
    assert [retry_after({"retry-after": text}) for text in ("", "soon", "-1")] == [None] * 3
    assert retry_after({}) is None


@pytest.mark.parametrize(
    "content",
    [b"<html>", b"[1", b"[1]", b'{"a": NaN}', b'{"a": -Infinity}', b"\xff", b"", b"[" * 900],
)
def test_what_is_no_json_object(content: bytes) -> None:
    assert Service(httpx.Response(200, content=content)).trouble() == "wrong"


def test_a_long_answer_is_not_read() -> None:
    assert Service(httpx.Response(200, content=b"{}" + b" " * 1000)).trouble() == "wrong"
    broken = httpx.Response(200, headers={"content-encoding": "gzip"}, stream=_Bytes(b"no gzip"))
    service = Service(GOOD)
    service.handle = lambda request: broken  # type: ignore[method-assign]
    assert service.trouble() == "wrong"


class _Bytes(httpx.AsyncByteStream):
    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> Any:
        yield self._content


@pytest.mark.parametrize(
    ("status", "trouble"), [(401, "refused"), (403, "refused"), (410, "wrong")]
)
def test_other_refusals(status: int, trouble: str) -> None:
    service = Service(refusal(status))
    assert service.trouble() == trouble and len(service.requests) == 1


@pytest.mark.parametrize("status", [400, 404, 422])
def test_what_the_service_does_not_have(status: int) -> None:
    with pytest.raises(NotThere):
        Service(refusal(status)).ask()


def fresh(value: int, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return httpx.Response(200, json={"n": value}, headers=named)


def test_fresh_answers_are_used_again_and_stale_ones_are_not() -> None:
    service = Service(fresh(1, Cache_Control="max-age=60"), fresh(2, Cache_Control="max-age=60"))
    assert [service.ask()["n"], service.ask()["n"]] == [1, 1]
    service.now = 60.0
    assert service.ask()["n"] == 2


def test_each_language_has_its_own_answer() -> None:
    service = Service(fresh(1, Cache_Control="max-age=60"), fresh(2, Cache_Control="max-age=60"))
    assert [service.ask(language="zh-hans")["n"], service.ask(language="zh-hant")["n"]] == [1, 2]
    sent = [request.headers["accept-language"] for request in service.requests]
    assert sent == ["zh-hans", "zh-hant"]


@pytest.mark.parametrize("options", [{"entries": 0}, {"memory": 0}])
def test_nothing_is_kept_without_room(options: dict[str, int]) -> None:
    service = Service(fresh(1, Cache_Control="max-age=60"), fresh(2), **options)
    assert [service.ask()["n"], service.ask()["n"]] == [1, 2]


def test_a_stale_answer_is_renewed_by_a_304() -> None:
    answers = (fresh(1, Cache_Control="max-age=60", ETag='"a"'), refusal(304), fresh(3))
    service = Service(*answers)
    assert service.ask()["n"] == 1
    service.now = 61.0
    assert service.ask()["n"] == 1
    assert service.requests[1].headers["if-none-match"] == '"a"'
    service.now = 120.0
    assert service.ask()["n"] == 1 and len(service.requests) == 2


def test_no_store_is_asked_for_each_time() -> None:
    service = Service(fresh(1, Cache_Control="no-store", ETag='"a"'), fresh(2))
    assert [service.ask()["n"], service.ask()["n"]] == [1, 2]
    assert "if-none-match" not in service.requests[1].headers


def test_the_agent_has_the_form_that_wikimedia_asks_for() -> None:
    # https://www.mediawiki.org/wiki/Wikimedia_APIs/Access_policy, "Client identification"
    told = agent("bot@example.org")
    assert told.startswith("ClawdBot/") and "(Telegram bot; bot@example.org) httpx/" in told
    service = Service(GOOD, contact="https://example.org/bot")
    service.ask()
    assert "https://example.org/bot" in service.requests[0].headers["user-agent"]


def test_errors_quote_nothing() -> None:
    canary: Callable[[], Any] = lambda: service.ask(URL + "?q=canary-7f3a")  # noqa: E731
    for answer in (refusal(500), refusal(403), httpx.ConnectError("canary-7f3a")):
        service = Service(answer)
        with pytest.raises(ServiceFailed) as told:
            canary()
        assert "canary-7f3a" not in f"{told.value!r}{told.value.__cause__!r}"
