"""Where models are kept, and how a kept one is known to be whole."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from .catalogue import Model, Source
from .partial import sha256

log = logging.getLogger(__name__)


def models_folder(cache_dir: str | None = None, env: Mapping[str, str] = os.environ) -> Path:
    """The folder of the models: ``cache_dir``, else $CLAWDBOT_CACHE, else the user's cache."""
    given = cache_dir or env.get("CLAWDBOT_CACHE")
    root = Path(given).expanduser() if given else platformdirs.user_cache_path("clawdbot")
    return root / "models"


def cached(model: Model, folder: Path) -> Path | None:
    """The model's file if it is here and was verified; the preferred source first.

    A file that somebody put here by hand is hashed once and remembered.
    """
    for source in model.sources:
        path = folder / source.filename
        if path.is_file() and (_remembered(path, source) or verify(path, source)):
            return path
    return None


def verify(path: Path, source: Source) -> bool:
    """Hash the whole file, and remember it if it is the pinned one."""
    if path.stat().st_size != source.size or sha256(path).hexdigest() != source.sha256:
        return False
    try:
        remember(path, source)
    except OSError as error:
        log.info("%s is hashed at every start: its folder can't be written (%s)", path.name, error)
    return True


def remember(path: Path, source: Source) -> None:
    """Note beside a verified file what it looked like, so that later starts needn't hash it."""
    note = {"sha256": source.sha256, **_looks(path)}
    beside = _note(path)
    draft = beside.with_name(beside.name + ".new")
    draft.write_text(json.dumps(note), encoding="ascii")
    draft.replace(beside)


def _remembered(path: Path, source: Source) -> bool:
    try:
        note = json.loads(_note(path).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return False
    return bool(note == {"sha256": source.sha256, **_looks(path)})


def _looks(path: Path) -> dict[str, int]:
    state = path.stat()
    return {"size": state.st_size, "mtime_ns": state.st_mtime_ns}


def _note(path: Path) -> Path:
    return path.with_name(path.name + ".json")
