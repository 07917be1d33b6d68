"""Where a configuration came from: its file, its notes, the source of each value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .node import Loc, Source


@dataclass(frozen=True, slots=True)
class Provenance:
    """``sources`` has every value that is not a default, by its place."""

    file: Path | None = None
    notes: tuple[str, ...] = ()
    sources: Mapping[Loc, Source] = field(default_factory=dict)
