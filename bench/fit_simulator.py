"""Fit the simulated engine to a real vLLM, and play the same to both.

Times are taken of the whole server, HTTP included. With n requests at once that each write so
many tokens, a token takes a + b n seconds; a prompt of so many tokens and an answer of
one takes a + b + c tokens more. Both lines are ordinary least squares. Then the same
callers ask both servers for the same, and what came out is compared as ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import linear_regression, median
from typing import Any, Final

import aiohttp
from flood_parts import sides

from clawdcore.cli.rehearse_measure import quantile

TOKENS: Final = 48
"""Of each answer while a and b are measured."""
PROMPTS: Final = (200, 400, 800, 1200, 1600)
"""Characters of the prompts with which c is measured. The simulator takes four for a token,
whatever the model's own tokens are, and so does c."""
ROUNDS: Final = 5
LEAST: Final = 1e-6
"""Seconds: no cost is nothing or less, whatever the noise."""


class Server:
    """Asks one server for completions of a fixed length."""

    def __init__(self, root: str, session: aiohttp.ClientSession) -> None:
        self._url = f"{root}/v1/completions"
        self._session = session
        self._number = 0

    async def ask(self, characters: int, tokens: int) -> float:
        """The seconds of an answer of exactly so many tokens."""
        self._number += 1
        words = f"{self._number} {random.Random(self._number).getrandbits(64):x} "
        prompt = (words + "word " * (characters // 5 + 1))[:characters]
        body = {
            "model": sides.MODEL,
            "prompt": prompt,
            "max_tokens": tokens,
            "ignore_eos": True,
            "temperature": 0,
        }
        began = time.perf_counter()
        async with self._session.post(self._url, json=body) as answer:
            said = await answer.json()
            if answer.status != 200 or said["usage"]["completion_tokens"] != tokens:
                raise SystemExit(f"bench/fit_simulator.py: the server answered {answer.status}")
        return time.perf_counter() - began

    async def crowd(self, count: int, characters: int, tokens: int) -> float:
        """The seconds until all of so many are answered."""
        began = time.perf_counter()
        await asyncio.gather(*(self.ask(characters, tokens) for _ in range(count)))
        return time.perf_counter() - began


async def fit(server: Server, limit: int) -> dict[str, float]:
    """The a, b and c of a server, in seconds."""
    await server.crowd(limit, 200, 8)
    counts = sorted({1, 2, max(1, limit // 2), limit})
    steps = []
    for count in counts:
        short = [await server.crowd(count, 200, 1) for _ in range(ROUNDS)]
        long = [await server.crowd(count, 200, 1 + TOKENS) for _ in range(ROUNDS)]
        steps.append((median(long) - median(short)) / TOKENS)
    reads = [
        median([await server.ask(characters, 1) for _ in range(ROUNDS)]) for characters in PROMPTS
    ]
    return fitted(counts, steps, reads)


def fitted(
    counts: Sequence[int], steps: Sequence[float], reads: Sequence[float]
) -> dict[str, float]:
    """The a, b and c of these seconds: ``steps`` by ``counts``, ``reads`` by :data:`PROMPTS`."""
    b, a = linear_regression(counts, steps)
    c, _ = linear_regression([characters / 4 for characters in PROMPTS], reads)
    for count, step in zip(counts, steps, strict=True):
        known = (a + b * count) * 1000
        print(f"{count:>4} at once: {step * 1000:.2f} ms a token, {known:.2f} fitted")
    for characters, seconds in zip(PROMPTS, reads, strict=True):
        print(f"{characters // 4:>4} tokens to read: {seconds * 1000:.1f} ms to the first token")
    return {"a": max(LEAST, a), "b": max(LEAST, b), "c": max(LEAST, c)}


async def load(server: Server, limit: int, seconds: float, seed: int) -> list[float]:
    """``limit`` callers, each of whom asks again when answered: the seconds of each answer."""
    found: list[float] = []
    loop = asyncio.get_running_loop()
    ends = loop.time() + seconds

    async def caller(number: int) -> None:
        dice = random.Random(seed * 1000 + number)
        while loop.time() < ends:
            found.append(await server.ask(dice.randint(100, 2000), dice.randint(8, 120)))

    await asyncio.gather(*(caller(number) for number in range(limit)))
    return found


def compared(real: Sequence[float], simulated: Sequence[float], seconds: float) -> dict[str, Any]:
    """The simulated server's figures over the real one's."""
    ratios = {"answers_per_s": len(simulated) / len(real)}
    for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
        one, other = quantile(simulated, share), quantile(real, share)
        if one is not None and other is not None:
            ratios[name] = one / other
    print(
        f"the same load: {len(real) / seconds:.2f} answers/s real, "
        f"{len(simulated) / seconds:.2f} simulated; simulated over real: "
        + ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items())
    )
    return {f"simulated_over_real_{name}": round(ratio, 3) for name, ratio in ratios.items()}


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Fit, then compare."""
    connector = aiohttp.TCPConnector(limit=0)
    with tempfile.TemporaryDirectory(prefix="clawdbot-fit-") as folder:
        async with aiohttp.ClientSession(connector=connector) as session:
            async with sides.vllm(Path(folder), options.limit) as root:
                real_server = Server(root, session)
                found = await fit(real_server, options.limit)
                real = await load(real_server, options.limit, options.seconds, options.seed)
            parameters = {**found, "max_sequences": options.limit}
            async with sides.simulator(parameters, "small") as root:
                server = Server(root, session)
                await server.crowd(options.limit, 200, 8)
                simulated = await load(server, options.limit, options.seconds, options.seed)
    rounded = {name: round(seconds, 7) for name, seconds in found.items()}
    return {**rounded, "limit": options.limit, **compared(real, simulated, options.seconds)}


def main() -> None:
    """Fit, and say what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--limit", type=int, default=8, help="sequences at once")
    parser.add_argument("--seconds", type=float, default=40.0, help="of the load that is compared")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.limit < 2 or options.seconds <= 0:
        parser.error("--limit must be at least 2 and --seconds above 0")
    try:
        found = asyncio.run(measure(options))
    except sides.CannotStart as error:
        sys.exit(f"bench/fit_simulator.py: {error}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
