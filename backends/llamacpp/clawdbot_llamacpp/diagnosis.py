"""What ``clawdbot doctor`` says of this backend, without starting anything."""

from __future__ import annotations

from pathlib import Path

from .cache import cached, models_folder
from .catalogue import CATALOGUE, find
from .machine import GIB, Machine
from .options import LlamaCppOptions

Line = tuple[str, str, str]
"""Status (OK, WARN or FAIL), what was found, and the fix."""

BESIDE_WEIGHTS = GIB // 2
"""Bytes that one slot and the engine itself need beside the weights (measured: 0.35 GiB)."""


def diagnose(options: LlamaCppOptions, machine: Machine) -> list[Line]:
    """Whether the model's file is here and whole, and whether it fits the memory.

    Raises:
        ModelNotFound: the catalogue has no such model.
    """
    if options.model.endswith(".gguf"):
        path = Path(options.model).expanduser()
        if not path.is_file():
            return [("FAIL", f"there is no file {path}.", "Correct options.model.")]
        return [("OK", f"{path.name} is here", ""), _memory(path.stat().st_size, machine)]
    model = find(options.model)
    folder = models_folder(options.cache_dir)
    file = cached(model, folder)
    if file is not None:
        return [("OK", f"{file.name} is here and whole", ""), _memory(file.stat().st_size, machine)]
    size = model.sources[0].size
    missing = f"{model.id} is not here yet; the first start downloads {size / 1e6:,.0f} MB"
    return [
        ("WARN", missing, f"Or put {model.sources[0].filename} into {folder}."),
        _memory(size, machine),
    ]


def _memory(weights: int, machine: Machine) -> Line:
    if machine.memory is None:
        return ("WARN", "the memory of this machine is unknown", "See that it suffices.")
    need, free = (weights + BESIDE_WEIGHTS) / 1e6, machine.memory / 1e6
    if free >= need:
        return ("OK", f"{free:,.0f} MB of memory are free, it needs {need:,.0f}", "")
    smallest = list(CATALOGUE)[-1]
    fix = f"Free some, or use a smaller model, for example {smallest}."
    return ("FAIL", f"{free:,.0f} MB of memory are free, it needs {need:,.0f}.", fix)
