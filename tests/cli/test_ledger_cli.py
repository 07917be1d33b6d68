"""``clawdbot ledger show``: while the bot runs, before it ever ran, and when the file is bad."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from clawdcore.broker import Outcome, Plan
from clawdcore.cli import cli
from clawdcore.edge.ledger import LEDGER_FILE, Ledger, LedgerNewer, Row
from clawdcore.errors import StorageError

NOW = 1_000_000.0


@pytest.fixture(autouse=True)
def no_token_and_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as changed:
        changed.delenv("TELEGRAM_BOT_TOKEN", raising=False)
        changed.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def configuration(folder: Path, token: str | None = "7:secret") -> Path:
    file = folder / "clawdbot.json"
    values: dict[str, Any] = {"agents": {"defaults": {"workspace": "workspace"}}}
    if token is not None:
        values["channels"] = {"telegram": {"botToken": token}}
    file.write_text(json.dumps(values))
    return file


def place(folder: Path, bot: int = 7) -> Path:
    return folder / "workspace" / str(bot) / LEDGER_FILE


def row(id: int, at: float, **changes: Any) -> Row:
    return Row(id=id, chat=-5, message=id + 100, user=8, at=int(at), **changes)


def silent(reason: str) -> None:
    """The owner is not listening."""


def with_ledger(path: Path, story: Callable[[Ledger], Awaitable[None]]) -> None:
    async def live() -> None:
        ledger = Ledger(path, suspended=silent, clock=lambda: NOW)
        await ledger.open()
        await story(ledger)
        await ledger.close()

    asyncio.run(live())


async def busy(ledger: Ledger) -> None:
    await ledger.receive([row(id, NOW + id) for id in range(1, 5)])
    await ledger.receive([row(5, NOW - 60, topic=3)])
    ledger.confirm([2])
    ledger.start(3)
    await ledger.sending(3, 9)
    await ledger.settle(4, Outcome.ANSWERED)
    await ledger.owe(-5, 1, NOW + 30)
    await ledger.plan(Plan("remind", "call", due=NOW + 60))


def show(*arguments: object) -> str:
    result = CliRunner().invoke(
        cli, ["ledger", "show", *map(str, arguments)], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return result.output


def test_it_counts_while_the_bot_runs(tmp_path: Path) -> None:
    printed: list[str] = []

    async def story(ledger: Ledger) -> None:
        await busy(ledger)
        printed.append(show("--config", configuration(tmp_path)))

    with_ledger(place(tmp_path), story)
    first, *lines = printed[0].splitlines()
    assert first.startswith(f"{place(tmp_path)}: ")
    assert first.endswith(" KiB")
    assert lines == [
        "updates: received 2, confirmed 1, sending 1, done 1",
        "outcomes, of the last 25 hours: answered 1",
        "oldest open: received 1970-01-12 13:45:40+00:00",
        "deletions owed: 1, the next is due 1970-01-12 13:47:10+00:00",
        "plans: 1, the next is due 1970-01-12 13:47:40+00:00",
    ]


def test_after_the_bot_has_ended_it_lists_open_updates_oldest_first(tmp_path: Path) -> None:
    with_ledger(place(tmp_path), busy)
    output = show("--config", configuration(tmp_path), "--open", "--limit", 2)
    assert output.splitlines()[-2:] == [
        "update 5: received, received 1970-01-12 13:45:40+00:00, "
        "chat -5 topic 3 message 105 user 8, starts 0",
        "update 1: received, received 1970-01-12 13:46:41+00:00, "
        "chat -5 message 101 user 8, starts 0",
    ]


def test_it_prints_json_for_programs(tmp_path: Path) -> None:
    with_ledger(place(tmp_path), busy)
    [summary] = json.loads(show("-c", configuration(tmp_path), "--json", "--open"))
    assert summary["path"] == str(place(tmp_path))
    assert summary["size"] == place(tmp_path).stat().st_size
    assert summary["states"] == {"received": 2, "confirmed": 1, "sending": 1, "done": 1}
    assert summary["outcomes"] == {"answered": 1}
    assert summary["oldest_open"] == NOW - 60
    assert (summary["deletions"], summary["next_deletion"]) == (1, NOW + 30)
    assert (summary["plans"], summary["next_plan"]) == (1, NOW + 60)
    assert [update["id"] for update in summary["open"]] == [5, 1, 2, 3]
    assert summary["open"][3]["state"] == "sending"


def test_looking_changes_nothing(tmp_path: Path) -> None:
    with_ledger(place(tmp_path), busy)
    before = place(tmp_path).read_bytes()
    show("--config", configuration(tmp_path))
    assert place(tmp_path).read_bytes() == before


def test_before_the_first_start_it_says_where_it_will_be(tmp_path: Path) -> None:
    file = configuration(tmp_path)
    assert show("--config", file) == (
        f"There is no ledger yet; the first start makes it: {place(tmp_path)}\n"
    )
    assert json.loads(show("--config", file, "--json")) == []
    assert not (tmp_path / "workspace").exists()


@pytest.mark.parametrize("token", [None, "../7:secret"])
def test_without_a_token_every_bot_of_the_workspace_is_shown(
    tmp_path: Path, token: str | None
) -> None:
    file = configuration(tmp_path, token)
    assert str(tmp_path / "workspace" / "BOT_ID" / LEDGER_FILE) in show("--config", file)
    with_ledger(place(tmp_path, 8), busy)
    with_ledger(place(tmp_path, 7), busy)
    shown = [line for line in show("--config", file).splitlines() if "ledger.db" in line]
    assert [line.partition(": ")[0] for line in shown] == [
        str(place(tmp_path, 7)),
        str(place(tmp_path, 8)),
    ]


def refused(kind: type[Exception], words: str, folder: Path) -> None:
    with pytest.raises(kind, match=words):
        show("--config", configuration(folder))


def test_a_damaged_file_is_said_to_be_one(tmp_path: Path) -> None:
    place(tmp_path).parent.mkdir(parents=True)
    place(tmp_path).write_bytes(b"never a database" * 100)
    refused(StorageError, r"can't be read \(it is damaged\)\. Run this as", tmp_path)


@pytest.mark.parametrize(
    ("version", "kind", "words"),
    [
        (99, LedgerNewer, "has version 99"),
        (0, StorageError, r"is of an earlier version \(0 of 1\)\. Start the bot once"),
    ],
)
def test_a_file_of_another_version_is_named_with_what_to_do(
    tmp_path: Path, version: int, kind: type[Exception], words: str
) -> None:
    with_ledger(place(tmp_path), busy)
    with closing(sqlite3.connect(place(tmp_path))) as database:
        database.execute(f"pragma user_version = {version}")
    refused(kind, words, tmp_path)
