"""``clawdbot plugins check``: also on plugins that bring down the process that tries them."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path

import pytest

from clawdcore.cli import plugins_check
from clawdcore.cli.plugins_check import Checked, checked
from clawdcore.errors import ClawdBotError
from clawdcore.testing.plugin_checks import CHECKS

CRASHING = """
import os, signal
from clawdcore import hookimpl

@hookimpl
def register_commands(register):
    @register("crash")
    async def crash(message):
        "Crash"
        os.kill(os.getpid(), signal.SIGSEGV)
"""
QUIET = """
print("hello from the import")
from clawdcore import hookimpl

@hookimpl
def privacy_notes(language):
    return ""
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with three plugins, as pip leaves them."""
    endless = "while True:\n    pass\n"
    for name, source in {"crashing": CRASHING, "quiet": QUIET, "endless": endless}.items():
        (tmp_path / f"clawdbot_{name}.py").write_text(source)
        info = tmp_path / f"clawdbot_{name}-1.0.dist-info"
        info.mkdir()
        about = f"Metadata-Version: 2.1\nName: clawdbot-{name}\nVersion: 1.0\n"
        (info / "METADATA").write_text(f"{about}\n# {name}\n\n`/crash` crashes.\n")
        (info / "entry_points.txt").write_text(f"[clawdbot]\n{name} = clawdbot_{name}\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def clawdbot(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "clawdcore", "plugins", "check", *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )


def test_one_line_for_each_check_and_zero_where_all_are_passed(installed: Path) -> None:
    done = clawdbot(installed, "quiet")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines if "no commands" not in line] == [
        "ok" if check.__name__ != "options" else "skipped"
        for check in CHECKS
        if check.__name__ not in {"commands", "arguments"}
    ]
    assert "skipped  Its options have a model with defaults" in done.stdout


def test_a_crash_is_a_failed_check_and_the_others_still_run(installed: Path) -> None:
    done = clawdbot(installed, "crashing", "--json")
    assert done.returncode == 1
    answer = json.loads(done.stdout)
    assert (answer["plugin"], answer["ok"]) == ("crashing", False)
    outcomes = {each["check"]: each for each in answer["checks"]}
    assert list(outcomes) == [check.__name__.replace("_", "-") for check in CHECKS]
    assert outcomes["loads"]["result"] == outcomes["starts-twice"]["result"] == "ok"
    assert outcomes["arguments"]["result"] == "failed"
    assert outcomes["arguments"]["why"] == "it ends the whole process (SIGSEGV)."


def test_what_never_ends_is_ended(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins_check, "PATIENCE", 2.0)

    async def first() -> Checked:
        async with aclosing(checked(None, "endless")) as outcomes:
            return await anext(outcomes)

    outcome = asyncio.run(first())
    assert (outcome.check, outcome.result) == ("loads", "failed")
    assert outcome.why == "it does not end within 2 s."


def test_what_is_not_installed_is_an_error(installed: Path) -> None:
    done = clawdbot(installed, "nothing")
    assert (done.returncode, done.stdout) == (1, "")
    assert "nothing" in done.stderr


def test_no_other_plugin_and_no_token_reach_the_process(installed: Path) -> None:
    (installed / "clawdbot_quiet.py").write_text(
        "import os\nassert 'TELEGRAM_BOT_TOKEN' not in os.environ\n" + QUIET
    )
    os.environ["TELEGRAM_BOT_TOKEN"] = "1:x"
    try:
        assert clawdbot(installed, "quiet").returncode == 0
    finally:
        del os.environ["TELEGRAM_BOT_TOKEN"]
    with pytest.raises(ClawdBotError):
        asyncio.run(anext(checked(None, "nothing")))  # type: ignore[arg-type]
