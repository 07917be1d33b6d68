"""The ledger through ``kill -9`` at every statement, and through power cuts at every write.

Run as a script it is the process that is killed: it forks for each step, so that
Python starts once.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from clawdcore.broker import Outcome, Plan
from clawdcore.edge.ledger import LEDGER_FILE, Ledger, Row, Verdict

KILLED = 9
NOW = 1_000_000.0
PLAN = Plan("remind", "call", chat=-5, user=7, due=NOW + 60)

Dump = dict[str, list[Any]]
Step = Callable[[Ledger], Awaitable[object]]


def row(id: int) -> Row:
    return Row(id=id, chat=-5, message=id + 100, user=7, at=int(NOW), language="en")


def silent(reason: str) -> None:
    """The owner is not listening."""


def dump(path: Path) -> Dump:
    """What the file says, after somebody has opened it as the bot does."""

    async def reopen() -> None:
        ledger = Ledger(path, suspended=silent, clock=lambda: NOW)
        await ledger.open()
        assert ledger.suspended == ""
        await ledger.close()

    asyncio.run(reopen())
    with closing(sqlite3.connect(path)) as database:
        return {
            table: [list(line) for line in database.execute(f"select {what} from {table}")]
            for table, what in (
                ("held", "id, state, starts, floor"),
                ("ended", "id, outcome"),
                ("deletion", "chat, message"),
                ("plan", "plugin, due"),
            )
        }


async def receive_three(ledger: Ledger) -> None:
    assert await ledger.receive([row(1), row(2), row(3)]) == [Verdict.NEW] * 3


async def confirm_and_receive(ledger: Ledger) -> None:
    ledger.confirm([1, 2, 3])
    await ledger.receive([row(4), row(1)])


async def start_and_send(ledger: Ledger) -> None:
    ledger.start(1)
    await ledger.sending(1, 77)


async def end_and_send_another(ledger: Ledger) -> None:
    await asyncio.gather(ledger.settle(1, Outcome.ANSWERED), ledger.sending(2, 78))


async def receive_and_end_at_once(ledger: Ledger) -> None:
    await ledger.receive([row(5)])


async def owe_and_plan(ledger: Ledger) -> None:
    await asyncio.gather(ledger.owe(-5, 900, NOW), ledger.plan(PLAN))


async def pay_and_end(ledger: Ledger) -> None:
    ledger.paid(-5, 900)
    ledger.done(2, Outcome.NOTICED)
    ledger.done(5, Outcome.SKIPPED)
    await ledger.flush()


STORY: tuple[tuple[Step, Dump], ...] = (
    (
        receive_three,
        {"held": [[1, 0, 0, 0], [2, 0, 0, 0], [3, 0, 0, 0]]},
    ),
    (
        confirm_and_receive,
        {"held": [[1, 1, 0, 0], [2, 1, 0, 0], [3, 1, 0, 0], [4, 0, 0, 0]]},
    ),
    (
        start_and_send,
        {"held": [[1, 2, 1, 77], [2, 1, 0, 0], [3, 1, 0, 0], [4, 0, 0, 0]]},
    ),
    (
        end_and_send_another,
        {"held": [[2, 2, 0, 78], [3, 1, 0, 0], [4, 0, 0, 0]], "ended": [[1, "answered"]]},
    ),
    (
        receive_and_end_at_once,
        {
            "held": [[2, 2, 0, 78], [3, 1, 0, 0], [4, 0, 0, 0], [5, 0, 0, 0]],
            "ended": [[1, "answered"]],
        },
    ),
    (
        owe_and_plan,
        {
            "held": [[2, 2, 0, 78], [3, 1, 0, 0], [4, 0, 0, 0], [5, 0, 0, 0]],
            "ended": [[1, "answered"]],
            "deletion": [[-5, 900]],
            "plan": [["remind", NOW + 60]],
        },
    ),
    (
        pay_and_end,
        {
            "held": [[3, 1, 0, 0], [4, 0, 0, 0]],
            "ended": [[1, "answered"], [2, "noticed"], [5, "skipped"]],
            "plan": [["remind", NOW + 60]],
        },
    ),
)
"""Each step is one commit, after which the file must say this."""
EMPTY: Dump = {"held": [], "ended": [], "deletion": [], "plan": []}
EXPECTED: list[Dump] = [EMPTY, *(EMPTY | says for _, says in STORY)]


def fatal(at: int, reached: Callable[[int], None]) -> type[sqlite3.Connection]:
    """Connections of which the process dies before (even) or after (odd) a statement."""
    count = 0

    def step() -> None:
        nonlocal count
        if count == at:
            os._exit(KILLED)
        count += 1
        reached(count)

    class Fatal(sqlite3.Connection):
        def execute(self, *arguments: Any) -> sqlite3.Cursor:
            step()
            cursor = super().execute(*arguments)
            step()
            return cursor

        def executemany(self, *arguments: Any) -> sqlite3.Cursor:
            step()
            cursor = super().executemany(*arguments)
            step()
            return cursor

    return Fatal


async def live(path: Path, factory: type[sqlite3.Connection], durable: Callable[[], None]) -> None:
    """The whole story; ``durable`` is called whenever a step has returned."""
    ledger = Ledger(path, suspended=silent, clock=lambda: NOW, factory=factory)
    await ledger.open()
    for step, _ in STORY:
        await step(ledger)
        durable()
    await ledger.close()


async def live_with_a_failure(
    path: Path, factory: type[sqlite3.Connection], durable: Callable[[], None]
) -> None:
    """The disk fails from the third step to the end; closing writes the rest."""
    failing = False

    class Failing(factory):  # type: ignore[valid-type,misc] # a class made at run time
        def execute(self, statement: str, *arguments: Any) -> sqlite3.Cursor:
            if failing and statement == "commit":
                raise sqlite3.OperationalError("made up")
            cursor: sqlite3.Cursor = super().execute(statement, *arguments)
            return cursor

    ledger = Ledger(path, suspended=silent, clock=lambda: NOW, factory=Failing)
    await ledger.open()
    for number, (step, _) in enumerate(STORY):
        failing = number >= 2
        await step(ledger)
        if not failing:
            durable()
    assert ledger.suspended
    failing = False
    await ledger.close()
    for _ in STORY[2:]:
        durable()


Life = Callable[[Path, type[sqlite3.Connection], Callable[[], None]], Awaitable[None]]


def tell(pipe: int) -> None:
    """Say to the other process, which outlives this one, that a step has returned."""
    os.write(pipe, b".")


def killed_at(step: int, folder: Path, life: Life) -> tuple[int, int]:
    """Live in a process that dies at ``step``; its status, and how much was durable by then."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)

        async def run() -> None:
            await life(
                folder / LEDGER_FILE,
                fatal(step, lambda count: None),
                partial(tell, theirs),
            )

        asyncio.run(run())
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as stream:
        durable = len(stream.read())
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), durable


def kill_everywhere(life: Life, allowed: Callable[[int], list[Dump]]) -> dict[str, Any]:
    """Kill at each step in turn until one is never reached; what went wrong, and the steps."""
    wrong: list[str] = []
    step = 0
    while True:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            status, durable = killed_at(step, folder, life)
            says = dump(folder / LEDGER_FILE)
            if says not in allowed(durable):
                wrong.append(f"step {step}, {durable} durable: {says}")
            if status == 0:
                return {"steps": step, "durable": durable, "wrong": wrong}
            if status != KILLED:
                return {"steps": step, "durable": durable, "wrong": [*wrong, f"status {status}"]}
        step += 1


def around(durable: int) -> list[Dump]:
    """What was durable, or that and the commit that was under way."""
    return EXPECTED[durable : durable + 2]


def around_a_failure(durable: int) -> list[Dump]:
    """As :func:`around`; but what came after the failure is there as a whole or not at all."""
    return [EXPECTED[2], EXPECTED[-1]] if durable >= 2 else around(durable)


LIVES: dict[str, tuple[Life, Callable[[int], list[Dump]]]] = {
    "plain": (live, around),
    "failure": (live_with_a_failure, around_a_failure),
}


def in_a_process_of_its_own(life: str) -> dict[str, Any]:
    ran = subprocess.run(
        [sys.executable, __file__, life], capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.returncode == 0, ran.stderr
    result: dict[str, Any] = json.loads(ran.stdout)
    return result


def test_killed_at_any_statement_it_says_what_was_durable_and_no_half_commit() -> None:
    result = in_a_process_of_its_own("plain")
    assert result["wrong"] == []
    assert result["durable"] == len(STORY)
    assert result["steps"] > 140  # every statement of seven commits, before and after


def test_killed_while_it_catches_up_after_a_failure_it_says_all_or_nothing() -> None:
    result = in_a_process_of_its_own("failure")
    assert result["wrong"] == []
    assert result["durable"] == len(STORY)


def lived(folder: Path) -> tuple[Path, list[int]]:
    """A story whose files are as at a power cut; and how long the WAL was after each commit."""
    path = folder / "live" / LEDGER_FILE
    wal = path.with_name(LEDGER_FILE + "-wal")
    cut = folder / "cut"
    lengths: list[int] = []

    async def story() -> None:
        ledger = Ledger(path, suspended=silent, clock=lambda: NOW)
        await ledger.open()
        lengths.append(wal.stat().st_size)
        for step, _ in STORY:
            await step(ledger)
            lengths.append(wal.stat().st_size)
        shutil.copytree(path.parent, cut)
        await ledger.close()

    asyncio.run(story())
    return cut, lengths


FRAME = 4096 + 24


def cuts(lengths: list[int]) -> Iterator[int]:
    """Every length that the WAL had between two of its writes, and ones in the midst of them."""
    for start in range(lengths[0], lengths[-1] + 1, FRAME):
        yield from (start, start + 1, start + 24, start + FRAME // 2, start + FRAME - 1)


def test_a_power_cut_loses_nothing_that_was_durable_and_shows_no_half_commit(
    tmp_path: Path,
) -> None:
    files, lengths = lived(tmp_path)
    whole = (files / f"{LEDGER_FILE}-wal").read_bytes()
    chance = random.Random(7)
    tried = 0
    for cut in cuts(lengths):
        if cut > lengths[-1]:
            continue
        for tail in (b"", bytes(len(whole) - cut), chance.randbytes(len(whole) - cut)):
            folder = tmp_path / "after"
            shutil.copytree(files, folder)
            (folder / f"{LEDGER_FILE}-shm").unlink()
            wal = whole[:cut] + tail
            (folder / f"{LEDGER_FILE}-wal").write_bytes(wal)
            # A tail of zeros may happen to be what was cut off.
            durable = sum(wal[:length] == whole[:length] for length in lengths) - 1
            assert dump(folder / LEDGER_FILE) == EXPECTED[durable], (cut, len(tail))
            shutil.rmtree(folder)
            tried += 1
    assert tried > 100


def test_a_commit_is_synced_before_anybody_is_told(tmp_path: Path) -> None:
    asked: dict[str, object] = {}

    class Asking(sqlite3.Connection):
        def execute(self, statement: str, *arguments: Any) -> sqlite3.Cursor:
            if statement == "commit":
                for name in ("synchronous", "journal_mode", "secure_delete", "fullfsync"):
                    asked[name] = super().execute(f"pragma {name}").fetchone()[0]
            return super().execute(statement, *arguments)

    async def story() -> None:
        ledger = Ledger(tmp_path / "7" / LEDGER_FILE, suspended=silent, factory=Asking)
        await ledger.open()
        await ledger.receive([row(1)])
        await ledger.close()

    asyncio.run(story())
    full = 2
    assert asked == {
        "synchronous": full,
        "journal_mode": "wal",
        "secure_delete": 1,
        "fullfsync": 1,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(kill_everywhere(*LIVES[sys.argv[1]])))
