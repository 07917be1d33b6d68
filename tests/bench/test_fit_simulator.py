"""bench/fit_simulator.py finds what an engine was made with."""

from __future__ import annotations

import asyncio

import aiohttp
import fit_simulator
import pytest
from simulator.engine import Parameters
from simulator.server import Simulator


def test_the_fit_finds_what_the_seconds_were_made_with(
    capsys: pytest.CaptureFixture[str],
) -> None:
    counts = [1, 2, 4]
    steps = [0.02 + 0.002 * count for count in counts]
    reads = [0.05 + 0.0003 * characters / 4 for characters in fit_simulator.PROMPTS]
    found = fit_simulator.fitted(counts, steps, reads)
    assert found == pytest.approx({"a": 0.02, "b": 0.002, "c": 0.0003})
    assert "   2 at once: 24.00 ms a token, 24.00 fitted" in capsys.readouterr().out


def test_no_cost_is_nothing_or_less() -> None:
    found = fit_simulator.fitted([1, 2], [0.03, 0.01], [0.5, 0.4, 0.3, 0.2, 0.1])
    assert found["b"] == found["c"] == fit_simulator.LEAST


def test_a_server_is_measured_over_http(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fit_simulator, "ROUNDS", 1)
    monkeypatch.setattr(fit_simulator, "TOKENS", 12)

    async def run() -> dict[str, float]:
        simulator = Simulator(Parameters(a=0.02, b=0.002, c=0.0003, max_sequences=4))
        root = await simulator.start()
        try:
            async with aiohttp.ClientSession() as session:
                server = fit_simulator.Server(root, session)
                return await fit_simulator.fit(server, 4)
        finally:
            await simulator.close()

    found = asyncio.run(run())
    assert all(seconds > 0 for seconds in found.values())
    assert found["a"] >= 0.01


def test_ratios_are_the_simulated_over_the_real(capsys: pytest.CaptureFixture[str]) -> None:
    found = fit_simulator.compared([1.0, 2.0], [2.0, 4.0, 4.0, 4.0], 10.0)
    assert found["simulated_over_real_answers_per_s"] == 2.0
    assert found["simulated_over_real_p50"] == 4.0
    assert found["simulated_over_real_p99"] == 2.0
