"""Run the local Bot API server as a process: one JSON line with its root, then serve."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Sequence

from .limits import Limits
from .server import BotApiServer


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m clawdcore.testing.botapi", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="loopback only")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--token", default="1:TEST")
    parser.add_argument("--username", default="clawd_bot")
    parser.add_argument("--privacy", action="store_true", help="hide group text not meant for it")
    parser.add_argument("--limits", action="store_true", help="Telegram's flood limits")
    parser.add_argument(
        "--with-parent", action="store_true", help="exit when standard input closes"
    )
    return parser.parse_args(arguments)


async def serve(options: argparse.Namespace) -> None:
    """Serve until SIGTERM, SIGINT, or the end of the parent."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    server = BotApiServer(
        options.token,
        options.username,
        can_read_all_group_messages=not options.privacy,
        limits=Limits.telegram() if options.limits else None,
    )
    root = await server.start(options.host, options.port)
    try:
        if options.with_parent:
            watch_parent(loop, stopped)
        print(json.dumps({"root": root}), flush=True)
        await stopped.wait()
    finally:
        await server.close()


def watch_parent(loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> None:
    """Set ``stopped`` once standard input closes; what comes in is thrown away."""
    fd = sys.stdin.fileno()

    def readable() -> None:
        if not os.read(fd, 4096):
            loop.remove_reader(fd)
            stopped.set()

    with contextlib.suppress(PermissionError):
        loop.add_reader(fd, readable)
        return
    stopped.set()


def main() -> int:
    """Run; 1 where it can't listen, with the reason on standard error."""
    options = parse()
    try:
        asyncio.run(serve(options))
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
