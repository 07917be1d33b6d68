"""What ``clawdbot init`` writes: the configuration, and the token beside it."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Final

from ..errors import ClawdBotError

TOKEN_FILE: Final = "telegram-token"
_TELEGRAM: Final = "  channels: { telegram: {\n"


def write(path: Path, text: str, *, mode: int) -> None:
    """Write a file with that mode, whole or not at all.

    Raises:
        ClawdBotError: it can't be written there.
    """
    draft = ""
    try:
        handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(draft).chmod(mode)
        Path(draft).replace(path)
    except OSError as error:
        if draft:
            Path(draft).unlink(missing_ok=True)
        raise ClawdBotError(
            f"{path} can't be written ({(error.strerror or 'no reason given').lower()}).",
            fix="Choose another place with --output.",
        ) from None


def with_api_root(text: str, api_root: str | None) -> str:
    """The configuration with the address of a Bot API server of one's own."""
    if api_root is None:
        return text
    line = f"    apiRoot: {json.dumps(api_root.replace('${', '$${'))},\n"
    return text.replace(_TELEGRAM, _TELEGRAM + line, 1)


def as_written(file: Path, config: Path) -> str:
    """How the configuration names ``file``: from its own folder where the file lies in it."""
    file, folder = file.absolute(), config.absolute().parent
    return str(file.relative_to(folder)) if file.is_relative_to(folder) else str(file)
