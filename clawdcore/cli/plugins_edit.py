"""Change the plugin list of a clawdbot.json, and nothing if the result could not be used."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

from ..config import FILE_NAME, find, parse
from ..config.source import decode
from .init_files import write

NEW_FILE = 0o600


def changed(path: Path | None, name: str, edit: Callable[..., str], *, on: bool) -> str:
    """Edit the file at ``path``, else the one that is found, else a new one; says what became.

    Raises:
        clawdcore.errors.ConfigError: the file, or what it would become, can't be used; it
            is as it was.
        ClawdBotError: it can't be written.
    """
    file = path or find() or Path(FILE_NAME)
    there = file.exists()
    data = file.read_bytes() if there else b"{}\n"
    text = decode(data, str(file))
    parse(text, file=file)
    new = edit(text, name, str(file))
    state = "on" if on else "off"
    if new == text:
        return f"{name} is {state} in {file} already"
    listed = {entry.name: entry.enabled for entry in parse(new, file=file).plugins}
    assert listed.get(name, False) is on
    mode = stat.S_IMODE(file.stat().st_mode) if there else NEW_FILE
    write(file.resolve(), new, mode=mode)
    return f"{name} is {state} in {file}; a running bot takes it up by itself"
