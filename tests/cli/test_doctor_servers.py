"""What the doctor finds at model servers, asked of small ones that speak as they do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from clawdcore import config as configuration
from clawdcore.cli.checks.finding import Finding, Status
from clawdcore.cli.checks.servers import servers

METRICS = """\
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="big"} 3.0
vllm:num_requests_running{engine="1",model_name="big"} 1.0
vllm:num_requests_waiting{engine="0",model_name="big"} 2.0
"""


class Server:
    """A model server; what it answers can be set."""

    def __init__(self) -> None:
        self.models: Any = {"data": [{"id": "big", "max_model_len": 4096}]}
        self.health = 200
        self.metrics = METRICS
        self.key = ""

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/health", self._health)
        if self.metrics:
            app.router.add_get("/metrics", self._metrics)
        return app

    async def _models(self, request: web.Request) -> web.Response:
        if self.key and request.headers.get("Authorization") != f"Bearer {self.key}":
            return web.Response(status=401)
        return web.json_response(self.models)

    async def _health(self, request: web.Request) -> web.Response:
        return web.Response(status=self.health)

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(text=self.metrics)


def found(
    server: Server | None, *, fallback: str = "", user: str = "", **provider: Any
) -> list[Finding]:
    async def main() -> Sequence[Finding]:
        port, runner = 1, None
        if server is not None:
            runner = web.AppRunner(server.app())
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            port = runner.addresses[0][1]
        provider["baseUrl"] = f"http://{user}127.0.0.1:{port}/v1"
        primary = "llamacpp/x" if fallback else "vllm/big"
        model = {"primary": primary, "fallbacks": [fallback] if fallback else []}
        values = {
            "agents": {"defaults": {"model": model}},
            "models": {"providers": {"vllm": provider}},
        }
        try:
            return await servers(configuration.parse(json.dumps(values), env={}))
        finally:
            if runner is not None:
                await runner.cleanup()

    return list(asyncio.run(main()))


def test_a_healthy_vllm_is_described_and_what_can_not_be_seen_is_said() -> None:
    [finding] = found(Server(), user="ada:pass@")
    assert finding.status is Status.OK
    assert "is healthy and serves big; 4 requests run, 2 wait" in finding.message
    assert "--scheduling-policy priority can't be seen from here" in finding.message
    assert "pass" not in finding.message


def test_another_server_is_not_taken_for_vllm() -> None:
    server = Server()
    server.health, server.metrics = 404, ""
    [finding] = found(server)
    assert finding.status is Status.OK
    assert "answers and serves big; it has no /metrics" in finding.message
    assert "scheduling" not in finding.message


def test_one_that_does_not_answer() -> None:
    [finding] = found(None)
    assert finding.status is Status.FAIL
    assert "vllm at 127.0.0.1:1 does not answer" in finding.message
    assert "models.providers.vllm.baseUrl" in finding.fix


def test_one_whose_engine_is_dead() -> None:
    server = Server()
    server.health = 503
    [finding] = found(server)
    assert (finding.status, finding.fix) == (Status.FAIL, "Restart it.")


def test_the_key_is_sent_and_a_wrong_one_told() -> None:
    server = Server()
    server.key = "k-123456"
    [good] = found(server, apiKey="k-123456")
    assert good.status is Status.OK
    [bad] = found(server, apiKey="k-000000")
    assert bad.status is Status.FAIL
    assert "refuses the key" in bad.message


def test_a_model_that_is_not_served() -> None:
    server = Server()
    server.models = {"data": [{"id": "other"}]}
    _, primary = found(server)
    assert primary.status is Status.FAIL
    assert "does not serve big" in primary.message
    assert "other" in primary.fix
    _, fallback = found(server, fallback="vllm/big")
    assert fallback.status is Status.WARN


def test_a_context_that_the_server_does_not_have() -> None:
    _, finding = found(Server(), models=[{"id": "big", "contextLength": 8192}])
    assert finding.status is Status.WARN
    assert "takes 4096 tokens" in finding.message
    assert [f.status for f in found(Server(), models=[{"id": "big", "contextLength": 4096}])] == [
        Status.OK
    ]


def test_an_answer_that_is_no_list_of_models() -> None:
    answers: list[Any] = [[], {"data": 1}, {"data": [1]}, {"data": []}]
    for answer in answers:
        server = Server()
        server.models = answer
        [finding] = found(server)
        assert finding.status is Status.FAIL
        assert "lists no models" in finding.message
