"""The steps of ``clawdbot new-plugin``: ask, write, say what comes next."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

import click

from .. import __version__
from ..errors import ClawdBotError
from .init_questions import Asker
from .new_plugin_names import PREFIX, checked, module, one_line
from .new_plugin_text import Draft, texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What was given on the command line; None for what is asked."""

    name: str | None = None
    backend: bool = False
    description: str | None = None
    author: str | None = None
    into: Path | None = None


def make(
    wishes: Wishes, asker: Asker, *, year: int, installed: Collection[str] | None = None
) -> None:
    """Ask what was not given, write the folder, and say what to type next.

    ``installed`` are the names of the plugins that are here; by default what is.

    Raises:
        ClawdBotError: something given can't be used, or the folder can't be made.
    """
    if installed is None:
        from ..hooks.loader import installed as present

        installed = present()
    name = _name(wishes.name, asker, installed)
    folder = wishes.into or Path(f"{PREFIX}{name}")
    _check_free(folder)  # before anything is asked that would be asked in vain
    usual = "A model backend for ClawdBot" if wishes.backend else "A plugin for ClawdBot"
    description = _line("description", "What it does, in one line", wishes.description, asker, 200)
    author = _line(
        "author", "Who wrote it, as in: Ada <ada@example.org>", wishes.author, asker, 100
    )
    draft = Draft(
        name=name,
        description=description or usual,
        author=author or f"The authors of {PREFIX}{name}",
        backend=wishes.backend,
        year=year,
        core=__version__,
    )
    written = texts(draft)
    write(folder, written)
    click.echo(f"Wrote {len(written)} files into {folder}. Next:")
    for line in (
        f"cd {shlex.quote(str(folder))}",
        "pip install --group dev -e .",
        "pytest",
    ):
        click.echo(f"  {line}")


def _name(given: str | None, asker: Asker, installed: Collection[str]) -> str:
    while given is None:
        answer = asker.text("Name, as in weather for clawdbot-weather")
        try:
            given = _free(answer, installed)
        except ClawdBotError as error:
            click.echo(str(error))
    return _free(given, installed)


def _free(given: str, installed: Collection[str]) -> str:
    name = checked(given, installed)
    if find_spec(module(name)) is not None:
        raise ClawdBotError(
            f"a module {module(name)} is installed here.", fix="Choose another name."
        )
    return name


def _line(what: str, question: str, given: str | None, asker: Asker, longest: int) -> str:
    """What was given, or is answered; "" for nothing, which only an answer may be."""
    if given is not None:
        return one_line(f"--{what}", given, longest)
    while answer := asker.text(f"{question} (empty: say nothing of it)"):
        try:
            return one_line(f"The {what}", answer, longest)
        except ClawdBotError as error:
            click.echo(str(error))
    return ""


def _check_free(folder: Path) -> None:
    if os.path.lexists(folder):  # also a link to nowhere
        raise ClawdBotError(
            f"{folder} exists and was left as it is.", fix="Choose another folder with --into."
        )


def write(folder: Path, written: Mapping[PurePosixPath, str]) -> None:
    """Make the folder with these files, whole or not at all.

    Raises:
        ClawdBotError: it exists, or can't be written.
    """
    made = False
    try:
        folder.mkdir()
        made = True
        for path, text in written.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
    except FileExistsError:
        _check_free(folder)
        raise
    except OSError as error:
        if made:
            shutil.rmtree(folder, ignore_errors=True)
        raise ClawdBotError(
            f"{folder} can't be written ({(error.strerror or 'no reason given').lower()}).",
            fix="Choose another folder with --into; the one above it must exist.",
        ) from None
