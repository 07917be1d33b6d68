"""``clawdbot plugins list`` beside a bot that runs: what each plugin has cost it."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import Callable
from typing import Any

Told = Callable[[Any], None]


async def clawdbot(here: Any, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "clawdcore", "plugins", *arguments,
        "--config", str(here.folder / "clawdbot.json"),
        cwd=here.folder, env=here.environment, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output.decode()


def test_what_each_plugin_has_cost_the_bot_that_runs(place: Told) -> None:
    async def story(here: Any) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            here.gateway = {"port": probe.getsockname()[1]}
        here.configure()
        found = {each["name"]: each for each in json.loads(await clawdbot(here, "list", "--json"))}
        assert found["here"]["use"] is None
        program = await here.run()
        here.server.say(here.server.user(1, "Ada"), "/slow 0.3 done")
        await here.count(1)
        found = {each["name"]: each for each in json.loads(await clawdbot(here, "list", "--json"))}
        use = found["here"]["use"]
        assert (use["calls"], use["failures"], use["rest"]) == (1, {}, 0.0)
        assert use["seconds"] >= 0.3
        assert found["culprit"]["use"]["calls"] == 0
        assert "(calls: 1, seconds: " in await clawdbot(here, "list")
        assert "in the bot that runs: calls: 1, " in await clawdbot(here, "info", "here")
        assert await program.stop() == 0

    place(story)
