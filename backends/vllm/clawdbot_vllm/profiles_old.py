"""Flags of old guides that today's vLLM refuses, and what takes their place. No IO here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Old:
    """``now`` is today's flag, "" for none; ``takes`` whether a value followed the old one."""

    now: str
    takes: bool
    note: str


OLD: Final[Mapping[str, Old]] = {
    "--batch-max-tokens": Old(
        "--max-num-batched-tokens",
        takes=True,
        note="no vLLM ever had it; tokens of one step are --max-num-batched-tokens",
    ),
    "--disable-log-requests": Old(
        "",
        takes=False,
        note="vLLM logs no requests unless --enable-log-requests is given; left out",
    ),
}


def renewed(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """``words`` as today's vLLM takes them, and a note for each that was changed."""
    found: list[str] = []
    notes: list[str] = []
    left = iter(words)
    for word in left:
        flag, equals, value = word.partition("=")
        name = flag.replace("_", "-")
        old = OLD.get(name) if flag.startswith("--") else None
        if old is None:
            found.append(word)
            continue
        notes.append(f"{name}: {old.note}.")
        if old.takes and not equals:
            value = next(left, "")
        if old.now:
            found += [old.now, value] if value else [old.now]
    return found, notes
