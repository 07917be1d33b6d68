from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clawdbot_vllm.metrics import Gauges, parse

TEXT = b"""# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="a} 9 b"} 3.0
vllm:num_requests_running{engine="1",model_name="a} 9 b"} 4.0
vllm:num_requests_waiting{engine="0",model_name="m"} 2.0
vllm:num_requests_waiting_by_reason{engine="0",reason="capacity"} 77.0
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.5
vllm:num_preemptions_total{engine="0"} 6.0 1395066363000
vllm:num_preemptions_created{engine="0"} 1.7e+09
vllm:generation_tokens_total 1.5e+03
vllm:request_queue_time_seconds_bucket{le="0.3"} 8.0
vllm:request_queue_time_seconds_count{engine="0"} 10.0
vllm:request_queue_time_seconds_sum{engine="0"} 2.5
python_gc_objects_collected_total{generation="0"} 123.0
"""


def test_the_numbers_that_are_needed_are_found() -> None:
    assert parse(TEXT) == Gauges(
        running=7.0,
        waiting=2.0,
        cache_use=0.5,
        preemptions=6.0,
        tokens=1500.0,
        queue_seconds=2.5,
        queue_count=10.0,
    )


def test_other_servers_metrics_are_none() -> None:
    assert parse(b"") is None
    assert parse(b"process_cpu_seconds_total 3.0\n") is None
    assert parse(b"<html>Not Found</html>") is None


def test_numbers_that_are_none_are_left_out() -> None:
    text = b"vllm:num_requests_running NaN\nvllm:num_requests_waiting +Inf\n"
    assert parse(text) is None
    assert parse(text + b"vllm:generation_tokens_total 5\nvllm:kv_cache_usage_perc{\n") == Gauges(
        tokens=5.0
    )


@given(st.binary(max_size=200))
def test_no_text_breaks_it(text: bytes) -> None:
    parse(text)
    parse(b"vllm:num_requests_running" + text)
    parse(b"vllm:num_requests_running{" + text)
