"""What this machine has to spare, and the settings that follow from it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Final

from .options import LlamaCppOptions

GIB: Final = 1024**3
MAX_THREADS: Final = 8
"""Generating is bound by memory bandwidth; more threads than this only take cores away."""
TWO_SLOTS: Final = GIB
"""Bytes to spare beside the weights for two slots: measured 0.35 GiB for 2 x 4096 tokens
with the 1.5B model, the rest is left to the bot."""
REPACKED_SHARE: Final = 0.55
"""Measured: the repacked copy of a q4_k_m file takes this share of the file's size."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Cores that may be used, and bytes of memory available (None where unknown)."""

    cores: int
    memory: int | None

    @classmethod
    def here(cls, root: Path = Path("/")) -> Machine:
        """This machine, or this container: the tighter limit counts.

        Reads Linux's ``/proc/meminfo`` and control group v2; ``root`` is where
        both hang. Elsewhere the memory is unknown.
        """
        group = root / "sys/fs/cgroup"
        limits = [_meminfo(root / "proc/meminfo"), _group_memory(group)]
        known = [limit for limit in limits if limit is not None]
        return cls(
            cores=min(_cores(), _group_cores(group) or _cores()),
            memory=min(known) if known else None,
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """What the engine is started with: see the options of the same names."""

    threads: int
    slots: int
    repack: bool


def plan(options: LlamaCppOptions, machine: Machine, model_bytes: int) -> Plan:
    """Fill in what the options leave open; ``model_bytes`` is the file's size."""
    spare = None if machine.memory is None else machine.memory - model_bytes
    slots = 2 if spare is None or spare >= TWO_SLOTS else 1
    room = spare is None or spare >= TWO_SLOTS + model_bytes * REPACKED_SHARE
    return Plan(
        threads=options.threads or min(MAX_THREADS, machine.cores),
        slots=options.slots or slots,
        repack=room if options.repack is None else options.repack,
    )


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _meminfo(path: Path) -> int | None:
    text = _read(path)
    for line in text.splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _group_memory(group: Path) -> int | None:
    limit = _read(group / "memory.max").strip()
    if not limit.isdigit():
        return None
    used = int(_read(group / "memory.current").strip() or 0)
    for line in _read(group / "memory.stat").splitlines():
        # Cached file pages count as used, but the kernel gives them back when asked.
        if line.startswith("inactive_file "):
            used -= int(line.split()[1])
    return max(0, int(limit) - max(0, used))


def _group_cores(group: Path) -> int | None:
    quota, _, period = _read(group / "cpu.max").strip().partition(" ")
    if not (quota.isdigit() and period.isdigit()):
        return None
    return max(1, ceil(int(quota) / int(period)))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
