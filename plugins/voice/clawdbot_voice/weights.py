"""Where speech models are kept, and whether one is there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

import platformdirs

from .failures import WeightsMissing

Kind = Literal["faster-whisper", "openai-whisper"]
FETCH: Final = "python -m clawdbot_voice"
"""The command that fetches a model."""


def models_folder(cache_dir: str = "", env: Mapping[str, str] = os.environ) -> Path:
    """The folder of the models: ``cache_dir``, else $CLAWDBOT_CACHE, else the user's cache."""
    given = cache_dir or env.get("CLAWDBOT_CACHE")
    root = Path(given).expanduser() if given else platformdirs.user_cache_path("clawdbot")
    return root / "models"


def place(kind: Kind, model: str, folder: Path) -> Path:
    """Where a model of an engine is kept: a folder of CTranslate2's, or a ``.pt`` file."""
    if kind == "openai-whisper":
        return folder / f"whisper-{model}.pt"
    return folder / f"whisper-{model}"


def there(kind: Kind, path: Path) -> bool:
    """Whether a model is at ``path``. What is fetched is put there whole, or not at all."""
    return path.is_file() if kind == "openai-whisper" else (path / "model.bin").is_file()


def located(kind: Kind, model: str, *, given: str = "", cache_dir: str = "") -> Path:
    """The model's place: ``given`` by the user, else where :mod:`fetch` puts it.

    Raises:
        WeightsMissing: it is not there; says how it gets there.
    """
    if given:
        path = Path(given).expanduser()
        if there(kind, path):
            return path
        what = "a .pt file" if kind == "openai-whisper" else "a folder with CTranslate2 weights"
        raise WeightsMissing(f"The option modelPath does not name {what}.", fix="Correct it.")
    path = place(kind, model, models_folder(cache_dir))
    if there(kind, path):
        return path
    raise WeightsMissing(
        f"The speech model {model} of {kind} is not on this machine.",
        fix=f"Run: {command(kind, model)}",
    )


def command(kind: Kind, model: str) -> str:
    """What fetches a model, as typed."""
    return f"{FETCH} {model}" if kind == "faster-whisper" else f"{FETCH} {model} {kind}"
