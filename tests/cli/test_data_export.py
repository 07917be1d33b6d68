"""``clawdbot data export``: everything on disk, and nothing of anybody else."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from clawdcore.broker import Outcome, Plan
from clawdcore.cli import cli
from clawdcore.edge.ledger import LEDGER_FILE, Ledger, Row
from clawdcore.hooks.storage import SETTINGS_FILE, SettingsStore

ADA, BOB, GROUP = 8, 9, -5


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("TELEGRAM_BOT_TOKEN", raising=False)
    file = tmp_path / "clawdbot.json"
    values: dict[str, Any] = {
        "agents": {"defaults": {"workspace": "workspace"}},
        "channels": {"telegram": {"botToken": "7:secret"}},
    }
    file.write_text(json.dumps(values))
    return file


def silent(reason: str) -> None:
    """The owner is not listening."""


async def live(folder: Path) -> None:
    store = SettingsStore(folder / SETTINGS_FILE)
    await store.of("weather").set("city", "Oslo", user=ADA)
    await store.of("translate").set("auto", ["de", "fr"], chat=GROUP)
    await store.of("weather").set("city", "Rome", user=BOB)
    await store.close()
    ledger = Ledger(folder / LEDGER_FILE, suspended=silent, clock=lambda: 1_000_000.0)
    await ledger.open()
    rows = [(1, GROUP, ADA), (2, GROUP, BOB), (3, ADA, ADA)]
    await ledger.receive([Row(id=n, chat=chat, message=n, user=u, at=1) for n, chat, u in rows])
    await ledger.settle(3, Outcome.ANSWERED)
    await ledger.plan(Plan("water", "drink", ADA, ADA, 2_000_000.0, 60.0))
    await ledger.owe(GROUP, 44, 2_000_000.0)
    await ledger.close()


def export(config: Path, *arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(cli, ["data", "export", "-c", str(config), *arguments])
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found["bots"]["7"]


def test_everything_is_there_and_of_one_user_only_theirs(config: Path) -> None:
    asyncio.run(live(config.parent / "workspace" / "7"))
    whole = export(config)
    kept = sorted((each["plugin"], str(each["value"])) for each in whole["settings"])
    assert kept == [("translate", "['de', 'fr']"), ("weather", "Oslo"), ("weather", "Rome")]
    assert [u["id"] for u in whole["open_updates"]] == [1, 2]
    assert [(u["id"], u["outcome"]) for u in whole["done_updates"]] == [(3, "answered")]
    assert [d["message"] for d in whole["deletions_owed"]] == [44]
    assert [p["name"] for p in whole["planned_calls"]] == ["drink"]

    ada = export(config, f"--user={ADA}")
    assert [s["value"] for s in ada["settings"]] == ["Oslo"]
    assert [u["id"] for u in ada["open_updates"]] == [1]
    assert [p["name"] for p in ada["planned_calls"]] == ["drink"]
    assert ada["done_updates"] == ada["deletions_owed"] == []

    group = export(config, f"--chat={GROUP}")
    assert [s["value"] for s in group["settings"]] == [["de", "fr"]]
    assert [d["message"] for d in group["deletions_owed"]] == [44]
    assert group["planned_calls"] == []


def test_before_the_first_start_there_is_nothing(config: Path) -> None:
    assert not any(export(config).values())


def test_a_file_is_written_for_its_owner_alone_and_never_over_another(config: Path) -> None:
    out = config.parent / "mine.json"
    command = ["data", "export", "-c", str(config), "-o", str(out)]
    assert CliRunner().invoke(cli, command).exit_code == 0
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert json.loads(out.read_text())["bots"].keys() == {"7"}
    again = CliRunner().invoke(cli, command)
    assert "can't be written" in str(again.exception)


def test_a_damaged_file_is_said_and_not_shown(config: Path) -> None:
    folder = config.parent / "workspace" / "7"
    folder.mkdir(parents=True)
    (folder / SETTINGS_FILE).write_bytes(b"what somebody wrote" * 100)
    result = CliRunner().invoke(cli, ["data", "export", "-c", str(config)])
    assert "can't be read" in str(result.exception)
    assert "somebody" not in str(result.exception) + result.output
