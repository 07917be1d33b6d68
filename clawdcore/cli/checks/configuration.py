"""Python, and the configuration itself."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from ...config import Config, ConfigProblems, load
from ...config.keys import describe
from ...config.node import path_text
from ...errors import ConfigError
from .finding import Finding, Status, fail, ok, warn

OLDEST: Final = (3, 11)
"""As ``requires-python`` says."""


def python_version(version: tuple[int, ...] = tuple(sys.version_info[:3])) -> list[Finding]:
    """Whether this Python can run the bot."""
    shown = ".".join(map(str, version))
    if version < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        return [fail(f"Python {shown} is too old.", f"Install Python {wanted} or newer.")]
    return [ok(f"Python {shown}")]


def load_configuration(path: Path | None) -> tuple[Config | None, list[Finding]]:
    """The configuration, or None, and what is to be said of it."""
    try:
        config = load(path)
    except ConfigProblems as error:
        return None, [_problem(each) for each in error.problems]
    except ConfigError as error:
        return None, [_problem(error)]
    return config, [
        _loaded(config),
        *(warn(note) for note in config.notes),
        *(warn(line, "Remove the key.") for line in config.inert_keys_set()),
        *_open_secrets(config),
    ]


def _problem(error: ConfigError) -> Finding:
    where = f"{error.where}: " if error.where else ""
    return Finding(Status.FAIL, where + error.what, error.fix)


def _loaded(config: Config) -> Finding:
    if config.file is None:
        return ok("no clawdbot.json: the defaults act (make one with: clawdbot init)")
    return ok(f"{config.file} loads")


def _open_secrets(config: Config) -> list[Finding]:
    """Secrets that stand in a file which others on this machine may read."""
    if config.file is None:
        return []
    mode = config.file.stat().st_mode & 0o777
    written = [
        path_text(loc)
        for loc, source in config.provenance.sources.items()
        if source == "file" and (key := describe(loc)) is not None and key.kind == "secret"
    ]
    if not written or not mode & 0o077:
        return []
    return [
        warn(
            f"other users may read {config.file} (mode {mode:04o}), which holds "
            f"{', '.join(written)}.",
            f"chmod 600 {config.file}",
        )
    ]
