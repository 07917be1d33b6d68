from __future__ import annotations

from pathlib import Path

import pytest

from clawdbot_llamacpp.machine import GIB, Machine, Plan, plan
from clawdbot_llamacpp.options import LlamaCppOptions

MODEL = 1_100_000_000


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_linux_tells_the_available_memory(tmp_path: Path) -> None:
    root = write(tmp_path, {"proc/meminfo": "MemTotal: 9 kB\nMemAvailable:    2048 kB\n"})
    assert Machine.here(root).memory == 2048 * 1024


def test_a_containers_limit_counts_where_it_is_tighter(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "proc/meminfo": "MemAvailable: 8000000 kB\n",
            "sys/fs/cgroup/memory.max": "2000000000\n",
            "sys/fs/cgroup/memory.current": "700000000\n",
            "sys/fs/cgroup/memory.stat": "anon 1\ninactive_file 200000000\n",
            "sys/fs/cgroup/cpu.max": "50000 100000\n",
        },
    )
    machine = Machine.here(root)
    assert machine.memory == 1_500_000_000
    assert machine.cores == 1


def test_an_unlimited_container_is_the_machine(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "proc/meminfo": "MemAvailable: 1 kB\n",
            "sys/fs/cgroup/memory.max": "max\n",
            "sys/fs/cgroup/cpu.max": "max 100000\n",
        },
    )
    assert Machine.here(root) == Machine(Machine.here().cores, 1024)


def test_elsewhere_the_memory_is_unknown(tmp_path: Path) -> None:
    assert Machine.here(tmp_path).memory is None


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        (Machine(2, None), Plan(threads=2, slots=2, repack=True)),
        (Machine(64, 64 * GIB), Plan(threads=8, slots=2, repack=True)),
        (Machine(4, int(2.2 * GIB)), Plan(threads=4, slots=2, repack=False)),
        (Machine(1, int(1.5 * GIB)), Plan(threads=1, slots=1, repack=False)),
    ],
)
def test_what_is_left_open_follows_the_machine(machine: Machine, expected: Plan) -> None:
    assert plan(LlamaCppOptions(), machine, MODEL) == expected


def test_what_is_set_holds_on_any_machine() -> None:
    options = LlamaCppOptions(threads=3, slots=5, repack=True)
    assert plan(options, Machine(1, GIB), MODEL) == Plan(threads=3, slots=5, repack=True)
