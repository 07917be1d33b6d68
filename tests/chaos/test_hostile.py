"""Plugins that do everything wrong, all at once, in the real program."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

import pytest
from hostile import PLUGINS, UNLOADABLE, measure

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not Path("/proc/self/task").exists(), reason="finds processes in /proc, which Linux has"
    ),
]
RESTING = {"thrower", "dozer", "shouter", "blocker", "crasher"}


def test_the_bot_outlives_them_and_says_which_they_are() -> None:
    options = argparse.Namespace(provoke=40.0, seconds=5.0, rounds=2, rate=10.0)
    found = asyncio.run(measure(options))
    assert len(PLUGINS) == 11
    assert found["stayed_up"]
    assert (found["lost"], found["unanswered"]) == (0, 0)
    assert set(found["owner_told"]) >= {*UNLOADABLE, *RESTING}
    assert found["shouted"] <= 20 * 9 * 2  # a minute and a chat; nine people, two minutes at most
