"""Advice for a vLLM server, from what it tells of itself."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web

from clawdbot_vllm.advice import advise
from clawdbot_vllm.advice_facts import Facts, facts
from clawdbot_vllm.advice_probe import advice
from clawdbot_vllm.client import Client
from clawdbot_vllm.servers import Server, address

METRICS = """\
# HELP vllm:num_requests_running Number of requests in model execution batches.
vllm:num_requests_running{engine="0",model_name="m"} 3.0
vllm:num_requests_running{engine="1",model_name="m"} 1.0
vllm:num_requests_waiting{engine="0",model_name="m"} 26.0
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.5
vllm:num_preemptions_total{engine="0",model_name="m"} 7.0
vllm:num_preemptions_created{engine="0",model_name="m"} 1.7e+09
vllm:admission_rejections_total{model_name="m",reason="max_num_queued_reqs"} 2.0
vllm:request_success_total{engine="0",finished_reason="stop",model_name="a } b"} 90.0
vllm:request_success_total{engine="0",finished_reason="length",model_name="m"} 10.0
vllm:request_success_total{engine="0",finished_reason="error",model_name="m"} 4.0
vllm:inter_token_latency_seconds_bucket{engine="0",le="0.025",model_name="m"} 1500.0
vllm:inter_token_latency_seconds_bucket{engine="0",le="0.5",model_name="m"} 1990.0
vllm:inter_token_latency_seconds_bucket{engine="0",le="+Inf",model_name="m"} 2000.0
vllm:cache_config_info{block_size="16",kv_cache_size_tokens="65536",num_gpu_blocks="4096"} 1.0
process_start_time_seconds 1.7e+09
"""


def test_facts_are_read_out_of_the_metrics() -> None:
    assert facts("gpu:8000", health=200, metrics=METRICS, version="0.33.1", context=8192) == Facts(
        name="gpu:8000",
        health=200,
        version=(0, 33),
        context=8192,
        cache_tokens=65536,
        cache_use=0.5,
        running=4,
        waiting=26,
        finished=100,
        failed=4,
        refused=2,
        preemptions=7,
        step_median=0.025,
        step_slowest=0.5,
    )


def test_an_older_server_tells_its_cache_in_blocks() -> None:
    metrics = 'vllm:cache_config_info{block_size="16",num_gpu_blocks="100"} 1.0\n'
    assert facts("s", health=200, metrics=metrics).cache_tokens == 1600


@pytest.mark.parametrize("metrics", ["", "no metrics at all", 'vllm:x{le="', "vllm:num_x nan\n"])
def test_what_can_t_be_read_is_unknown(metrics: str) -> None:
    assert facts("s", health=200, metrics=metrics) == Facts(name="s", health=200)


def test_a_server_that_does_well_is_not_mentioned() -> None:
    well = Facts(
        name="s",
        health=200,
        version=(0, 32),
        context=8192,
        cache_tokens=200_000,
        cache_use=0.5,
        running=30,
        waiting=2,
        finished=10_000,
        refused=10,
        preemptions=3,
        step_median=0.025,
        step_slowest=0.1,
    )
    assert advise(well) == []
    assert advise(Facts(name="s", health=200)) == []


@pytest.mark.parametrize(
    ("seen", "said", "fix"),
    [
        ({"failed": 2}, "2 requests ended with an error", "out of memory"),
        ({"context": 8192, "cache_tokens": 10_000}, "1.2 requests", "--max-model-len"),
        ({"finished": 100, "preemptions": 20}, "set back 20 times", "--max-num-seqs"),
        ({"cache_use": 0.99}, "99% of its cache", "--max-num-seqs"),
        ({"running": 8, "waiting": 26}, "26 requests wait", "--max-num-queued-reqs"),
        ({"finished": 80, "refused": 20}, "20 of 100", "maxConcurrentRequests"),
        ({"step_median": 0.025, "step_slowest": 0.5}, "500 ms", "--max-num-batched-tokens"),
        ({"version": (0, 9)}, "vLLM 0.9", "Update"),
    ],
)
def test_each_trouble_has_its_line(seen: dict[str, Any], said: str, fix: str) -> None:
    [(status, message, remedy)] = advise(Facts(name="gpu:8000", health=200, **seen))
    assert status == "WARN"
    assert message.startswith("gpu:8000: ") and said in message
    assert fix in remedy


def test_a_dead_engine_is_a_failure_and_the_only_line() -> None:
    [(status, message, fix)] = advise(Facts(name="s", health=503, failed=9, cache_use=1.0))
    assert status == "FAIL"
    assert "dead" in message
    assert "--gpu-memory-utilization" in fix


async def looked_at(pages: dict[str, tuple[int, str]]) -> list[tuple[str, str, str]]:
    async def page(request: web.Request) -> web.Response:
        status, text = pages.get(request.path, (404, ""))
        return web.Response(status=status, text=text)

    app = web.Application()
    app.router.add_get("/{path:.*}", page)
    runner = web.AppRunner(app)
    await runner.setup()
    client = Client()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        server = Server(address=address(f"http://{host}:{port}/v1", None))
        return await advice(client, "vllm", server)
    finally:
        await client.close()
        await runner.cleanup()


def models(owner: str) -> str:
    return json.dumps({"data": [{"id": "m", "max_model_len": 60_000, "owned_by": owner}]})


def test_a_server_is_asked_and_advised() -> None:
    pages = {
        "/health": (200, ""),
        "/v1/models": (200, models("vllm")),
        "/metrics": (200, METRICS),
        "/version": (200, '{"version": "0.33.0"}'),
    }
    text = " ".join(message for _, message, _ in asyncio.run(looked_at(pages)))
    assert "1.1 requests of the full 60,000" in text
    assert "set back" in text


@pytest.mark.parametrize(
    "pages",
    [
        {},
        {"/v1/models": (200, "no JSON")},
        {"/v1/models": (200, models("somebody")), "/metrics": (200, METRICS)},
    ],
)
def test_what_is_no_vllm_gets_no_advice(pages: dict[str, tuple[int, str]]) -> None:
    assert asyncio.run(looked_at(pages)) == []


def test_a_vllm_without_metrics_or_version_is_taken_as_it_is() -> None:
    pages = {"/health": (200, ""), "/v1/models": (200, models("vllm"))}
    assert asyncio.run(looked_at(pages)) == []
