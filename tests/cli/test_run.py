"""``clawdbot run`` as a process: what is wrong is one line each, and signals drain."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import pytest

from clawdcore.cli import main
from clawdcore.testing.botapi import BotApiServer

TOKEN = "1:TEST_" + "x" * 30
HELLO = """
import asyncio
from clawdcore import Backend, Chunk, Load, ModelInfo, hookimpl

class Echo(Backend):
    async def start(self): pass
    async def close(self): pass
    async def models(self):
        return [ModelInfo(id="m", context_length=4096, max_output_tokens=512)]
    async def generate(self, request):
        yield Chunk(request.turns[-1].content)
        yield Chunk("", "stop")
    async def load(self):
        return Load(running=0, waiting=0, capacity=9)

@hookimpl
def register_backends(register):
    register("hello", lambda provider: Echo())

@hookimpl
def register_commands(register):
    @register("hello")
    async def hello(message):
        "Say hello"
        return f"Hello {message.sender.name}!"

    @register("slow")
    async def slow(message):
        "Take a second"
        await asyncio.sleep(1)
        return "slow"
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with an installed plugin ``hello``, which is a backend too."""
    return install(tmp_path, "hello", HELLO)


def install(folder: Path, name: str, source: str, distribution: str = "") -> Path:
    """What pip would leave of a one-module distribution with an entry point."""
    distribution = distribution or f"clawdbot_{name}"
    (folder / f"clawdbot_{name}.py").write_text(source)
    info = folder / f"{distribution}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[clawdbot]\n{name} = clawdbot_{name}\n")
    return folder


def environment(site: Path, token: str = TOKEN) -> Mapping[str, str]:
    kept = {k: v for k, v in os.environ.items() if k != "TELEGRAM_BOT_TOKEN"}
    extra = {"TELEGRAM_BOT_TOKEN": token} if token else {}
    return {**kept, **extra, "PYTHONPATH": str(site), "HOME": str(site)}


def config(site: Path, root: str, **more: Any) -> Path:
    file = site / "clawdbot.json"
    content: dict[str, Any] = {
        "agents": {"defaults": {"workspace": "state", "model": {"primary": "hello/m"}}},
        "models": {"providers": {"hello": {}}},
        "channels": {"telegram": {"apiRoot": root}},
        "plugins": ["hello"],
    }
    for key, value in more.items():
        content[key] = value
    file.write_text(json.dumps(content))
    return file


def run(site: Path, *arguments: str, token: str = TOKEN) -> tuple[int, list[str]]:
    """Run to the end; returns the exit code and what was said on standard error."""
    result = subprocess.run(
        [sys.executable, "-m", "clawdcore", "run", *arguments],
        cwd=site,
        env=environment(site, token),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.returncode, result.stderr.splitlines()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


NOWHERE = f"http://127.0.0.1:{free_port()}"


def test_missing_token(site: Path) -> None:
    code, lines = run(site, "--config", str(config(site, NOWHERE)), token="")
    assert code == 1
    assert "TELEGRAM_BOT_TOKEN" in lines[-1]
    assert len(lines) == 1


def test_all_that_is_missing_is_said_at_once(
    site: Path, missing: Callable[[int], list[str]]
) -> None:
    one, other = missing(2)
    file = config(site, NOWHERE, plugins=["hello", one, other])
    code, lines = run(site, "-c", str(file), token="")
    assert code == 1
    assert len(lines) == 2
    assert "TELEGRAM_BOT_TOKEN" in lines[0]
    assert f"'{one}' and '{other}'" in lines[1]
    assert lines[1].endswith(f"pip install clawdbot-{one} clawdbot-{other}")


def clawdbot(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "clawdcore", *arguments],
        cwd=site, env=environment(site), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_a_misspelt_command_is_told_the_nearest(site: Path) -> None:
    result = clawdbot(site, "docter")
    assert result.returncode == 2
    assert "Did you mean 'doctor'?" in result.stderr


def test_a_plugin_s_broken_subcommands_are_named_and_passed_over(site: Path) -> None:
    source = "import sys\nfrom clawdcore import hookimpl\n\n@hookimpl\ndef register_cli(group):\n"
    install(site, "exits", source + "    sys.exit('gone')\n")
    config(site, NOWHERE, plugins=["exits"])
    result = clawdbot(site, "weather")
    assert result.returncode == 2
    assert "plugin 'exits': register_cli failed: SystemExit: gone" in result.stderr
    assert "no command 'weather'" in result.stderr


@pytest.mark.parametrize("arguments", [["--debug", "run"], ["run", "--debug"]])
def test_debug_reaches_run_from_anywhere(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    def serve(path: Path | None, *, debug: bool, single: bool) -> None:
        seen.append(debug)

    monkeypatch.setattr("clawdcore.cli.serve.serve", serve)
    for given in (arguments, ["run"]):
        with pytest.raises(SystemExit):
            main(given)
    assert seen == [True, False]


LEAKY = """
import asyncio, threading
from clawdcore import hookimpl

@hookimpl
def startup(context):
    raise KeyError("canary at the start")

@hookimpl
def register_commands(register):
    pass
"""
LEAKIER = """
import asyncio, gc, logging, threading
from clawdcore import hookimpl

@hookimpl
def register_commands(register):
    @register("leak")
    async def leak(message, words: str):
        "Fail in every way"
        async def fails():
            raise ValueError(words)
        def thread():
            raise ValueError(words)
        task = asyncio.create_task(fails())
        await asyncio.wait([task])
        del task
        gc.collect()
        other = threading.Thread(target=thread)
        other.start()
        other.join()
        logging.getLogger("library").error("bad input: %s", words)
        logging.getLogger("clawdbot_leakier").error("of %r", message)
        raise ValueError(words)
"""


def test_no_user_s_words_get_into_a_debug_log(site: Path) -> None:
    install(site, "leaky", LEAKY)
    install(site, "leakier", LEAKIER)

    async def story(server: BotApiServer, start: Any) -> None:
        process = await start(options=("--debug",), plugins=["leaky", "leakier"])
        lines = await until(process, "ready:")
        server.say(server.user(7, "Ada"), "/leak the canary sings")
        await server.wait(lambda: len(server.sent) == 1)
        process.send_signal(signal.SIGTERM)
        lines += await until(process, "1 accepted")
        assert await process.wait() == 0
        said = "\n".join(lines)
        assert "canary" not in said
        assert "plugin leaky is disabled: KeyError at startup (clawdbot_leaky.py:7)" in said
        for words in (
            "plugin leakier failed: ValueError at leak (clawdbot_leakier.py:",
            "a thread died: ValueError at thread",
            "nobody caught in register_commands.<locals>.leak.<locals>.fails: ValueError",
            "library: bad input: %s (clawdbot_leakier.py:",
            "clawdbot_leakier: of Message(id=",
            "Traceback (most recent call last):",
        ):
            assert words in said, words

    with_server(site, story)


def test_unreachable_api(site: Path) -> None:
    code, lines = run(site, "-c", str(config(site, NOWHERE)))
    assert code == 1
    assert NOWHERE in lines[-1]
    assert "apiRoot" in lines[-1]
    assert len(lines) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{ plugins: [ }", "clawdbot.json:1:14"),
        ('{\n  agents: { defaults: { modle: "x/y" } } }', "clawdbot.json:2:25"),
        ("{ gateway: { port: 'x' } }", "gateway.port"),
        ('{ plugins: ["transalte"] }', "Did you mean 'translate'?"),
    ],
)
def test_a_wrong_configuration_is_named_with_its_place(site: Path, text: str, words: str) -> None:
    file = site / "clawdbot.json"
    file.write_text(text)
    code, lines = run(site, "--config", "clawdbot.json")
    assert code == 1
    assert words in lines[-1], lines
    assert len(lines) == 1


def test_a_plugin_of_ours_that_is_not_installed_is_named_with_the_line_that_does_it(
    site: Path, missing: Callable[[int], list[str]]
) -> None:
    (name,) = missing(1)
    (site / "clawdbot.json").write_text(f'{{ plugins: ["{name}"] }}')
    code, lines = run(site, "--config", "clawdbot.json")
    assert code == 1
    assert f"pip install clawdbot-{name}" in lines[-1], lines
    assert len(lines) == 1


def test_a_configuration_that_is_not_there(site: Path) -> None:
    code, lines = run(site, "-c", "nowhere.json")
    assert code == 1
    assert "nowhere.json" in lines[0]
    assert len(lines) == 1


def test_two_distributions_with_one_name(site: Path) -> None:
    other = site / "other"
    other.mkdir()
    install(other, "hello", HELLO, distribution="somebody_elses")
    both = dict(environment(site))
    both["PYTHONPATH"] = f"{site}{os.pathsep}{other}"
    (other / "clawdbot_hello.py").rename(other / "clawdbot_hello2.py")
    entry = other / "somebody_elses-1.0.dist-info" / "entry_points.txt"
    entry.write_text("[clawdbot]\nhello = clawdbot_hello2\n")
    result = subprocess.run(
        [sys.executable, "-m", "clawdcore", "run", "-c", str(config(site, NOWHERE))],
        cwd=site,
        env=both,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 1
    assert "clawdbot_hello" in result.stderr
    assert "somebody_elses" in result.stderr
    assert len(result.stderr.splitlines()) == 1


Story = Callable[
    [BotApiServer, Callable[..., Coroutine[Any, Any, asyncio.subprocess.Process]]], Any
]


def with_server(site: Path, story: Story) -> None:
    async def main() -> None:
        async with asyncio.timeout(60), BotApiServer(TOKEN) as server:
            started: list[asyncio.subprocess.Process] = []

            async def start(
                options: tuple[str, ...] = (), **more: Any
            ) -> asyncio.subprocess.Process:
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "clawdcore", "run",
                    "--config", str(config(site, server.root, **more)), *options,
                    cwd=site, env=environment(site), stderr=asyncio.subprocess.PIPE,
                )  # fmt: skip
                started.append(process)
                return process

            try:
                await story(server, start)
            finally:
                for process in started:
                    if process.returncode is None:
                        process.kill()
                        await process.wait()

    asyncio.run(main())


async def until(process: asyncio.subprocess.Process, words: str) -> list[str]:
    """Read standard error up to the line with ``words``."""
    lines = []
    assert process.stderr is not None
    while line := (await process.stderr.readline()).decode():
        lines.append(line.rstrip())
        if words in line:
            return lines
    raise AssertionError(f"{words!r} was never said: {lines}")


def test_sigterm_answers_what_was_accepted_and_exits_0(site: Path) -> None:
    async def story(server: BotApiServer, start: Any) -> None:
        ada = server.user(7, "Ada")
        process = await start()
        lines = await until(process, "ready: @clawd_bot, polling")
        code = next(line.split("/start ")[1] for line in lines if "/start " in line)
        server.say(ada, "/hello")
        await server.wait(lambda: len(server.sent) == 1)
        assert server.sent[0].message["text"] == "Hello Ada!"
        server.say(ada, f"/start {code}")
        await server.wait(lambda: len(server.sent) == 2)
        assert "my owner now" in server.sent[1].message["text"]
        server.say(ada, "/slow")
        await server.wait(lambda: server.pending == 0)
        process.send_signal(signal.SIGTERM)
        await until(process, "3 accepted = 3 answered")
        assert await process.wait() == 0
        assert [r.message["text"] for r in server.sent][2:] == ["slow"]
        again = await start()
        lines = await until(again, "ready:")
        assert not any("/start " in line for line in lines)
        await server.wait(lambda: len(server.sent) == 4)
        assert server.sent[3].message["text"] == "I'm up."
        again.send_signal(signal.SIGINT)
        assert await again.wait() == 0

    with_server(site, story)


def test_refused_token(site: Path) -> None:
    async def story(server: BotApiServer, start: Any) -> None:
        file = config(site, server.root)
        code, lines = await asyncio.to_thread(run, site, "-c", str(file), token="2:" + "y" * 35)
        assert code == 1
        assert "refused the bot token" in lines[-1]
        assert "y" * 35 not in "".join(lines)
        assert len(lines) == 1

    with_server(site, story)


def test_second_poller(site: Path) -> None:
    async def story(server: BotApiServer, start: Any) -> None:
        first = await start()
        await until(first, "ready:")
        server.say(server.user(7, "Ada"), "/hello")
        await server.wait(lambda: len(server.sent) == 1)
        elsewhere = {"workspace": "elsewhere", "model": {"primary": "hello/m"}}
        second = await start(agents={"defaults": elsewhere})
        lines = await until(second, "another process polls Telegram with this token")
        assert await second.wait() == 1
        assert "@BotFather" in lines[-1]
        third = await start()
        assert "agents.defaults.workspace" in (await until(third, "another bot runs"))[-1]
        assert await third.wait() == 1

    with_server(site, story)


def test_port_taken(site: Path) -> None:
    async def story(server: BotApiServer, start: Any) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            hook = {
                "url": f"http://127.0.0.1:{port}/x",
                "path": "/x",
                "port": port,
                "secret": "s" * 20,
            }
            process = await start(channels={"telegram": {"apiRoot": server.root, "webhook": hook}})
            lines = await until(process, f"can't listen on 127.0.0.1:{port}")
            assert await process.wait() == 1
            assert "webhook.port" in lines[-1]

    with_server(site, story)


MISSPELT = HELLO.replace("def register_commands", "def register_comands")


def test_a_misspelt_hook_disables_its_plugin_in_one_line_and_the_bot_runs(tmp_path: Path) -> None:
    install(tmp_path, "hello", HELLO)
    install(tmp_path, "broken", MISSPELT)

    async def story(server: BotApiServer, start: Any) -> None:
        process = await start(plugins=["broken", "hello"])
        lines = await until(process, "ready:")
        told = [line for line in lines if "broken" in line and line.startswith("clawdbot:")]
        assert len(told) == 1
        assert "Did you mean 'register_commands'?" in told[0]
        server.say(server.user(7, "Ada"), "/hello")
        await server.wait(lambda: len(server.sent) == 1)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0

    with_server(tmp_path, story)


def test_keys_that_can_t_act_yet_say_so_and_debug_shows_tracebacks(site: Path) -> None:
    file = config(site, NOWHERE, messages={"queue": {"mode": "steer"}})
    code, lines = run(site, "-c", str(file))
    assert code == 1
    assert any(line.startswith("clawdbot: note: ") and "messages.queue" in line for line in lines)
    result = subprocess.run(
        [sys.executable, "-m", "clawdcore", "--debug", "run", "-c", str(file)],
        cwd=site, env=environment(site), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "Traceback" in result.stderr
    assert TOKEN not in result.stderr
