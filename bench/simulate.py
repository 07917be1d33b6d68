"""A simulated vLLM server, for benchmarks: prints its root, then serves until told to stop.

``python bench/simulate.py --port 0`` prints {"root": "http://127.0.0.1:PORT"}.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from contextlib import suppress

import msgspec
from simulator.engine import PRESETS, Parameters
from simulator.server import Simulator


def parse() -> tuple[argparse.Namespace, Parameters]:
    """The command line, and the engine that it describes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--model", default="simulated")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--preset", choices=PRESETS, default="small")
    parser.add_argument("--parameters", default="{}", help="JSON that changes the preset")
    parser.add_argument("--with-parent", action="store_true", help="end when stdin closes")
    options = parser.parse_args()
    given = msgspec.to_builtins(PRESETS[options.preset]) | json.loads(options.parameters)
    return options, msgspec.convert(given, Parameters)


class Parent(asyncio.Protocol):
    """Standard input, which ends with whoever started this."""

    def __init__(self, over: asyncio.Event) -> None:
        self._over = over

    def connection_lost(self, exc: Exception | None) -> None:
        """The other end is gone."""
        self._over.set()


async def main() -> None:
    """Serve until SIGTERM, SIGINT, or the end of standard input."""
    options, parameters = parse()
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    simulator = Simulator(parameters, model=options.model, seed=options.seed)
    root = await simulator.start(options.port)
    print(json.dumps({"root": root}), flush=True)
    if options.with_parent:
        await loop.connect_read_pipe(lambda: Parent(over), sys.stdin)
    try:
        await over.wait()
    finally:
        await simulator.close()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main())
