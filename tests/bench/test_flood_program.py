"""bench/flood.py itself, for a few seconds: the whole bot before a simulated engine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).parents[2] / "bench" / "flood.py"
pytestmark = pytest.mark.real
pytest.importorskip("clawdbot_vllm", reason="the flood is played before the backend vllm")


def run(*options: str) -> tuple[str, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *options],
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout, json.loads(done.stdout.splitlines()[-1])


def test_a_flood_in_both_faces_ends_with_a_line_of_figures() -> None:
    said, found = run(
        *("--limit", "4", "--speed", "8", "--seconds", "6", "--scenarios", "b"),
        *("--times", "1.9", "--beside", "plain", "--no-jain"),
    )
    assert found["capacity_per_s"] > 0
    for side in ("", "chat_", "plain_"):
        assert 0 <= found[f"{side}quiet_ok_b_1.9"] <= 1
    assert found["chat_quiet_ok_b_1.9"] > 0
    assert " 0 failed, 0 lost" in said


def test_fifty_who_ask_the_same_take_one_generation_and_in_a_group_one_message() -> None:
    _, found = run("--herd", "--speed", "0.5", "--limit", "8")
    assert found["herd_alone_generations"] == 1
    assert found["herd_private_generations"] == 1
    assert found["herd_group_generations"] == 1
    assert found["herd_private_messages"] == found["herd_people"]
    assert found["herd_group_messages"] == 1
    assert found["herd_private_answered"] == found["herd_people"] * found["herd_rounds"]
    assert found["herd_group_answered"] == found["herd_people"] * found["herd_rounds"]


def test_bursts_below_the_capacity_are_answered_and_little_agrees() -> None:
    _, found = run("--bursts", "--speed", "4", "--limit", "8", "--seconds", "10")
    for size in (10, 50, 100):
        assert found[f"burst_{size}_lost"] == 0
        assert found[f"burst_{size}_success"] + found[f"burst_{size}_refused"] > 0.9
        assert found[f"burst_{size}_in_flight"] > 0
        assert found[f"burst_{size}_in_flight_seen"] > 0
