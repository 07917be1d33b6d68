"""Kills, signals and bad plugins while people write, in short; `make chaos` runs it at length."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from chaos_parts.scenario import Plan, run

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not Path("/proc/self/task").exists(), reason="finds processes in /proc, which Linux has"
    ),
]
KILLS = {"worker": 4, "both": 3, "stops": 4, "culprit": 2}


@pytest.mark.parametrize("webhook", [False, True], ids=["polling", "webhook"])
@pytest.mark.parametrize("scenario", KILLS)
def test_every_message_has_one_outcome(scenario: str, webhook: bool, tmp_path: Path) -> None:
    plan = Plan(scenario, KILLS[scenario], webhook, rate=25.0, gap=1.0, seed=11, settle=40.0)
    result = asyncio.run(run(plan, tmp_path))
    assert result.failures == []
    figures: dict[str, Any] = result.figures
    assert figures["disturbed"] == KILLS[scenario]
    assert figures["answered"] > 0
    assert figures["files_searched"] > 5


def test_one_process_stops_without_a_loss(tmp_path: Path) -> None:
    plan = Plan("calm", 2, rate=25.0, seed=12, options=("--single",))
    result = asyncio.run(run(plan, tmp_path))
    assert result.failures == []
    assert result.figures["workers_seen"] == 0
