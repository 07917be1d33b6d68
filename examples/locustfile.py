"""Load for ClawdBot's gateway: two callers with a token each, streaming and not.

    CLAWDBOT_TOKEN=… DASHBOARD_TOKEN=… locust -f examples/locustfile.py \
        --host http://127.0.0.1:18780 --headless --users 20 --spawn-rate 5 --run-time 1m

A refusal (429) counts as a failure of its own name, and the user then waits for as long
as the gateway says. ``first words`` is the time until a stream's first piece of text.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

from locust import HttpUser, between, task

QUESTION = "Which planet has the most moons? Answer in one sentence."
MODEL = os.environ.get("CLAWDBOT_MODEL", "")
LONGEST_PAUSE = 30.0
"""Seconds, whatever the gateway says."""


class Caller(HttpUser):
    """Somebody who asks the gateway; its token comes from the variable ``variable``."""

    abstract = True
    variable = ""
    wait_time = between(0.5, 2)

    def on_start(self) -> None:
        token = os.environ.get(self.variable)
        if token:
            self.client.headers["Authorization"] = f"Bearer {token}"
        self.model = MODEL or self.client.get("/v1/models").json()["data"][0]["id"]

    @task(2)
    def whole(self) -> None:
        """An answer in one piece."""
        with self._ask("whole", stream=False) as answer:
            if self._refused(answer):
                return
            try:
                words = answer.json()["choices"][0]["message"]["content"]
            except (KeyError, IndexError, ValueError):
                words = ""
            if not words:
                answer.failure("an answer without words")

    @task(1)
    def streamed(self) -> None:
        """An answer that grows."""
        began = time.perf_counter()
        with self._ask("streamed", stream=True) as answer:
            if self._refused(answer):
                return
            first, ended = None, False
            for line in answer.iter_lines():
                data = line.removeprefix(b"data: ")
                if data == b"[DONE]":
                    ended = True
                elif line.startswith(b"data: ") and first is None and _words(data):
                    first = time.perf_counter() - began
            if not ended:
                answer.failure("a stream that was cut")
            elif first is not None:
                self._first_words(first)

    def _ask(self, name: str, *, stream: bool) -> Any:
        return self.client.post(
            "/v1/chat/completions",
            json={
                "model": self.model,
                "messages": [{"role": "user", "content": QUESTION}],
                "max_tokens": 64,
                "stream": stream,
            },
            name=f"{type(self).__name__}, {name}",
            stream=stream,
            catch_response=True,
        )

    def _refused(self, answer: Any) -> bool:
        """Whether there is no answer in it; waits as long as the gateway asks for."""
        if answer.status_code == 200:
            return False
        answer.failure("refused" if answer.status_code == 429 else f"HTTP {answer.status_code}")
        if answer.status_code == 429:
            time.sleep(min(LONGEST_PAUSE, float(answer.headers.get("Retry-After", 1))))
        return True

    def _first_words(self, seconds: float) -> None:
        self.environment.events.request.fire(
            request_type="SSE",
            name=f"{type(self).__name__}, first words",
            response_time=seconds * 1000,
            response_length=0,
            exception=None,
            context={},
        )


def _words(data: bytes) -> bool:
    choices = json.loads(data).get("choices") or [{}]
    return bool(choices[0].get("delta", {}).get("content"))


class Owner(Caller):
    """Has gateway.auth.token; its work is as urgent as private messages."""

    variable = "CLAWDBOT_TOKEN"


class Dashboard(Caller):
    """One of gateway.auth.clients, whose work may wait."""

    variable = "DASHBOARD_TOKEN"
