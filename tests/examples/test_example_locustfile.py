"""examples/locustfile.py against a real gateway, by Locust in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from clawdcore.gateway.keys import Key

SCRIPT = Path(__file__).parents[2] / "examples" / "locustfile.py"
LIMIT = 180.0
"""Real seconds after which the test has failed; the load itself takes some ten."""
# Never imported here: Locust patches the standard library of the process that it is in.
LOCUST = shutil.which("locust", path=str(Path(sys.executable).parent)) or shutil.which("locust")


@pytest.mark.skipif(LOCUST is None, reason="Locust is not installed: it comes with `make setup`")
def test_both_callers_get_answers_whole_and_streamed(
    serve: Any, started: Any, tmp_path: Path
) -> None:
    async def scene() -> Any:
        keys = Key.of("default", "ours"), Key.of("dashboard", "theirs")
        async with asyncio.timeout(LIMIT), serve(*keys) as served:
            process = await asyncio.create_subprocess_exec(
                str(LOCUST),
                *("-f", str(SCRIPT), "--host", served.url, "--headless", "--skip-log"),
                *("--users", "4", "--spawn-rate", "4", "--run-time", "10s", "--stop-timeout", "20"),
                *("--json", "--exit-code-on-error", "3"),
                cwd=tmp_path,
                env={**os.environ, "CLAWDBOT_TOKEN": "ours", "DASHBOARD_TOKEN": "theirs"},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            async with started(process):
                said, errors = await process.communicate()
            assert process.returncode == 0, errors.decode()
            assert set(served.room.seats.asked) == {"api:default", "api:dashboard"}
            return json.loads(said)

    counts = {
        each["name"]: (each["num_requests"], each["num_failures"]) for each in asyncio.run(scene())
    }
    assert all(failed == 0 for _, failed in counts.values())
    assert any(name.endswith("whole") for name in counts)
    assert sum(n for name, (n, _) in counts.items() if name.endswith("streamed")) == sum(
        n for name, (n, _) in counts.items() if name.endswith("first words")
    )
