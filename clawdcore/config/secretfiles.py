"""Reads the secrets that are given as ``{ file: "path" }``."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from .keys import describe
from .node import Node, path_text, quoted
from .report import Report

MAX_BYTES: Final = 65_536
"""No token is nearly as long; a larger file is some other file."""


def read_secret_files(root: Node, folder: Path, report: Report) -> None:
    """Replace each ``{ file: … }`` where a secret may stand by the file's text.

    ``folder`` is what relative paths start from. The line break at the end of a
    file is not part of the secret.
    """
    for loc, node in list(root.walk()):
        if not isinstance(node.value, dict):
            continue
        key = describe(loc)
        if key is None or key.kind != "secret":
            continue
        path = node.written or path_text(loc)
        members, node.value, node.source = node.value, "unread", "secret file"
        for name in members:
            if name != "file":
                report.problem(
                    f"{path_text((*loc, name))} is no key here; a secret's only key is file.",
                    'Write { file: "path" }.',
                    members[name],
                    key=True,
                )
        name = members["file"].value if "file" in members else None
        if members.get("file") is not None and members["file"].unset:
            node.unset = members["file"].unset
        elif isinstance(name, str) and name:
            node.value = _read(folder, name, path, node, report)
        elif not isinstance(name, str):
            report.problem(f"{path} names no file.", 'Write { file: "path" }, or the secret.', node)
        else:
            report.problem(f"{path}.file is empty.", 'Write { file: "path" }.', node)


def _read(folder: Path, name: str, path: str, node: Node, report: Report) -> str:
    """The secret, or a stand-in after reporting why there is none."""

    def refuse(what: str, fix: str) -> str:
        report.problem(f"the secret file {quoted(name)} of {path} {what}", fix, node)
        return "unread"

    try:
        file = folder / Path(name).expanduser()
        with open(file, "rb", opener=_without_waiting) as stream:
            mode = os.fstat(stream.fileno()).st_mode
            if not stat.S_ISREG(mode):
                return refuse("is no regular file.", "Give the path of a file.")
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return refuse("does not exist.", "Create it, or correct the path.")
    except PermissionError:
        return refuse("may not be read.", "Let the bot's user read it.")
    except (OSError, RuntimeError, ValueError):
        return refuse("can't be read.", "Correct the path.")
    if len(data) > MAX_BYTES:
        return refuse("is larger than 64 KiB.", "Give the path of the secret alone.")
    try:
        secret = data.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        return refuse("is not UTF-8 text.", "Save it as UTF-8.")
    if not secret:
        return refuse("is empty.", "Write the secret into it.")
    if os.name == "posix" and mode & (stat.S_IRWXO | stat.S_IWGRP):
        report.note(
            f"the secret file {quoted(name)} of {path} is open to other users "
            f"(mode {stat.S_IMODE(mode):04o}); close it with: chmod 600."
        )
    return secret


def _without_waiting(path: str, flags: int) -> int:
    """Opens a pipe without waiting for its writer, so that loading can't hang."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
