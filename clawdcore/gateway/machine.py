"""How busy the machine is."""

from __future__ import annotations

from pathlib import Path

import msgspec
import psutil


class Used(msgspec.Struct, frozen=True):
    """Percentages, 0 to 100. ``cpu`` is over all processors, since the look before."""

    cpu: float
    memory: float
    disk: float


def look(folder: Path) -> Used:
    """One look; the disk is the one with ``folder``. Blocks for as long as the disk does."""
    return Used(
        cpu=psutil.cpu_percent(interval=None),
        memory=psutil.virtual_memory().percent,
        disk=psutil.disk_usage(str(folder)).percent,
    )
