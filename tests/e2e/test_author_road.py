"""From nothing to the first answer of a plugin in a running bot, as its author goes the road."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

from author_road import StepFailed, travel

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not Path("/proc/self/task").exists(), reason="finds processes in /proc, which Linux has"
    ),
]
STEPS = ("new_plugin", "edit", "test", "install", "enable", "first_answer")


def test_the_whole_road_in_one_go(tmp_path: Path) -> None:
    try:
        seconds = asyncio.run(travel(tmp_path))
    except StepFailed as failed:
        if str(failed).startswith("install"):
            pytest.skip(f"the build backend can't be had here ({failed})")
        raise
    assert [f"{step}_s" for step in STEPS] == list(seconds)[:-1]
