"""From a file, or none, to a :class:`~clawdcore.config.Config`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import platformdirs

from ..errors import ConfigError
from . import aliases, checks, expand, shorthand, source
from .keys import describe
from .model import Config
from .node import Loc, Node, Source
from .provenance import Provenance
from .report import UNNAMED, Report
from .secretfiles import read_secret_files
from .validate import validate

FILE_NAME: Final = "clawdbot.json"
TOKEN_VARIABLE: Final = "TELEGRAM_BOT_TOKEN"


def find() -> Path | None:
    """The file that is used when none is named, or None.

    ``clawdbot.json`` in the working directory, else in the user's configuration
    folder (``~/.config/clawdbot`` on Linux).
    """
    for path in (Path(FILE_NAME), platformdirs.user_config_path("clawdbot") / FILE_NAME):
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            # It may be there, and reading it tells what the trouble is.
            return path
        return path
    return None


def load(path: Path | None = None, env: Mapping[str, str] = os.environ) -> Config:
    """The configuration in ``path``, else in the file of :func:`find`, else the defaults.

    Reads that file and the secret files that it names, and does nothing else.

    Raises:
        ConfigError: the file can't be read.
        ConfigSyntaxError: it is not JSON5.
        ConfigProblems: its values can't be used; lists everything that is wrong.
    """
    file = find() if path is None else Path(path)
    if file is None:
        return parse("{}", env=env)
    return parse(source.decode(_read(file), _shown(file)), env=env, file=file)


def parse(text: str, *, env: Mapping[str, str] = os.environ, file: Path | None = None) -> Config:
    """The configuration written in ``text``; ``file`` is where it came from.

    Relative paths start from the file's folder, or from the working directory.

    Raises:
        ConfigSyntaxError: it is not JSON5.
        ConfigProblems: its values can't be used; lists everything that is wrong.
    """
    shown = "" if file is None else _shown(file)
    root = source.read(text, shown or UNNAMED)
    report = Report(shown)
    expand.expand(root, env, report)
    aliases.translate(root, report)
    shorthand.spell_out(root, report)
    _token_from(env, root, report)
    read_secret_files(root, Path() if file is None else file.parent, report)
    gone = expand.prune(root, report)
    checks.check(root, gone, report)
    config = validate(root, gone, report)
    report.stop()
    assert config is not None  # validate reports a problem whenever it gives None
    config._provenance = Provenance(
        file=None if file is None else file.absolute(),
        notes=tuple(report.notes),
        sources=_sources(root),
    )
    return config


def _read(file: Path) -> bytes:
    shown = _shown(file)
    try:
        if file.is_dir():
            raise ConfigError(
                "this is a folder.", fix=f"Give the path of the {FILE_NAME} in it.", where=shown
            )
        with file.open("rb") as stream:
            return stream.read(source.MAX_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError(
            "there is no such file.",
            fix="Correct the path, or make one with: clawdbot init.",
            where=shown,
        ) from None
    except PermissionError:
        raise ConfigError(
            "the file may not be read.", fix="Let the bot's user read it.", where=shown
        ) from None
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or "no such path").lower()
        raise ConfigError(
            f"the file can't be read ({reason}).", fix="Correct the path.", where=shown
        ) from None


def _shown(file: Path) -> str:
    """How errors name the file: from the working directory where it lies below it."""
    try:
        return str(file.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(file)


def _token_from(env: Mapping[str, str], root: Node, report: Report) -> None:
    """``TELEGRAM_BOT_TOKEN`` is the bot's token where the file gives none."""
    token = env.get(TOKEN_VARIABLE, "").strip()
    telegram = root.value.setdefault("channels", Node({}, source="default"))
    if isinstance(telegram.value, dict):
        telegram = telegram.value.setdefault("telegram", Node({}, source="default"))
    given = telegram.members.get("botToken")
    if not token or not isinstance(telegram.value, dict):
        return
    if given is None or given.value is None or given.unset:
        if given is not None and given.unset and given.unset != TOKEN_VARIABLE:
            report.note(f"channels.telegram.botToken comes from {TOKEN_VARIABLE}.")
        telegram.value["botToken"] = Node(token, source="env", written=TOKEN_VARIABLE)


def _sources(root: Node) -> dict[Loc, Source]:
    """Where each value came from; of what lies inside a leaf key, only what is from variables."""
    sources: dict[Loc, Source] = {}
    inside: Loc | None = None
    for loc, node in root.walk():
        if inside is not None and loc[: len(inside)] == inside:
            if node.source == "env":
                sources[loc] = "env"
            continue
        inside = None
        key = describe(loc)
        if loc and key is not None and key.is_leaf and node.source != "default":
            sources[loc] = node.source
            inside = loc
    return sources
