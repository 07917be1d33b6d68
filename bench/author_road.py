"""The road of a plugin's author, as a transcript: from nothing to the first answer.

A bot runs all the while. The plugin is written by `clawdbot new-plugin`, changed as its
author would, tested, built and installed, switched on, and asked. Each step is a command as
a person would type it; what it says and how long it takes is printed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from chaos_parts.program import Program
from chaos_parts.quiet import Quiet
from chaos_parts.site import TOKEN, Site

from clawdcore.testing.botapi import BotApiServer

NAME: Final = "sunrise"
SAYS: Final = "You read {known} words in a minute."
EDITED: Final = "At {known} words a minute, and the sun is up."
ADDED: Final = """

def test_the_sun_is_up(bot: Harness) -> None:
    assert bot.say(COMMAND) == "At 200 words a minute, and the sun is up."
"""


class StepFailed(Exception):
    """A step of the road did not end as it should; says with what."""


class Road:
    """The steps, their seconds, and where they are taken."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self.seconds: dict[str, float] = {}

    async def step(self, name: str, *command: str, cwd: Path | None = None) -> None:
        """Run a command, and print what it says.

        Raises:
            StepFailed: it did not exit with 0.
        """
        print(f"\n$ {shlex.join([Path(command[0]).name, *command[1:]])}", flush=True)
        began = time.monotonic()
        done = await asyncio.to_thread(
            subprocess.run,
            command,
            cwd=cwd or self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.took(name, began)
        print(done.stdout.rstrip())
        if done.returncode:
            raise StepFailed(f"{name}: exit status {done.returncode}")

    def took(self, name: str, began: float) -> None:
        """Note a step that began then, in the clock's seconds."""
        self.seconds[name] = round(time.monotonic() - began, 2)
        print(f"# {name}: {self.seconds[name]} s", flush=True)


def edit(project: Path) -> None:
    """Change the answer of the command, and its tests, as the author would."""
    code = project / f"clawdbot_{NAME}" / "__init__.py"
    test = project / "tests" / f"test_{NAME}.py"
    text = code.read_text(encoding="utf-8")
    if SAYS not in text:
        raise StepFailed("edit: the generated plugin says something else")
    code.write_text(text.replace(SAYS, EDITED), encoding="utf-8")
    tests = test.read_text(encoding="utf-8")
    tests = tests.replace("You read 100 words in a minute.", EDITED.format(known=100))
    tests = tests.replace("You read 200 words in a minute.", EDITED.format(known=200))
    test.write_text(tests + ADDED, encoding="utf-8")


async def travel(folder: Path) -> dict[str, Any]:
    """The whole road; the seconds of each step."""
    async with BotApiServer(TOKEN) as server:
        site = Site(folder / "bot", server.root)
        bot = Program(site)
        road = Road(folder, site.environment())
        python = Path(sys.executable)
        clawdbot = str(python.with_name("clawdbot"))
        project = folder / f"clawdbot-{NAME}"
        try:
            await bot.start()
            quiet = Quiet(bot, server, [server.user(1000, "Ada")])
            print(f"a bot runs; /{NAME}: {await quiet.ask(f'/{NAME}')!r}")
            await road.step(
                "new_plugin", clawdbot, "new-plugin", NAME, "--yes",
                "--description", "Says when the sun rises", "--author", "Ada",
            )  # fmt: skip
            began = time.monotonic()
            edit(project)
            road.took("edit", began)
            await road.step("test", str(python), "-m", "pytest", "-q", cwd=project)
            uv = str(python.with_name("uv"))
            target = str(site.folder / "plugins")
            await road.step(
                "install", uv, "pip", "install", "-q", "--no-deps", "--target", target, str(project)
            )
            await road.step(
                "enable", clawdbot, "plugins", "enable", NAME, "--config", str(site.config)
            )
            began = time.monotonic()
            wanted = EDITED.format(known=200)
            while (said := await quiet.ask(f"/{NAME}")) != wanted:
                if time.monotonic() - began > 60:
                    raise StepFailed(f"first_answer: it still says {said!r}")
                await asyncio.sleep(0.2)
            print(f"\n/{NAME}: {said!r}")
            road.took("first_answer", began)
            status = await bot.stop()
            if status:
                raise StepFailed(f"the bot ended with {status}")
        finally:
            await bot.close()
    return {f"{name}_s": seconds for name, seconds in road.seconds.items()} | {
        "whole_road_s": round(sum(road.seconds.values()), 2)
    }


def main() -> None:
    """Take the road, and say how long it was."""
    argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0]).parse_args()
    with tempfile.TemporaryDirectory(prefix="clawdbot-author-") as name:
        found = asyncio.run(travel(Path(name)))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
