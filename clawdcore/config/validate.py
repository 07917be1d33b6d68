"""Turns what pydantic found into sentences with a place and a fix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import ValidationError

from .aliases import FOREIGN_VALUES
from .expand import why_missing
from .hints import example, expected, fits, found, nearest, rewrite, unknown_key
from .keys import Key, describe
from .model import Config
from .node import Loc, Node, path_text
from .report import Report
from .values import REFUSED


def validate(root: Node, gone: Mapping[Loc, str], report: Report) -> Config | None:
    """The configuration, or None after reporting why there is none.

    ``gone`` has the variables that required keys wait for.
    """
    try:
        return Config.model_validate(root.plain(), by_alias=True, by_name=False)
    except ValidationError as error:
        for entry in error.errors(include_url=False, include_input=False):
            is_key = entry["loc"][-1:] == ("[key]",)
            loc = entry["loc"][:-1] if is_key else entry["loc"]
            _problem(entry["type"], loc, entry.get("ctx", {}), is_key, root, gone, report)
        return None


def _problem(
    kind: str,
    loc: Loc,
    context: Mapping[str, Any],
    is_key: bool,
    root: Node,
    gone: Mapping[Loc, str],
    report: Report,
) -> None:
    node, path = root.nearest(loc), path_text(loc)
    if node.written and root.get(*loc) is not None:
        path = node.written
    key = describe(loc)
    if kind == REFUSED:
        report.problem(f"{path} {context['what']}", context["fix"], node, key=is_key)
    elif kind == "extra_forbidden":
        parent = describe(loc[:-1])
        if parent is not None:
            what, fix = unknown_key(parent, str(loc[-1]), node)
            report.problem(f"{path} {what}", fix, node, key=True)
    elif kind == "missing":
        why, fix = f"{path} is missing", f"Add {example(key)}." if key is not None else ""
        if loc in gone:
            why, fix = why_missing(path, gone[loc])
        report.problem(f"{why}.", fix, node)
    elif kind == "string_too_short":
        report.problem(f"{path} is empty.", "Write a value, or remove the key.", node)
    elif key is not None:
        what, fix = _wrong(key, node)
        if node.written and key.field is not None and not path.endswith(key.name):
            fix = f"Write {path_text(loc)} instead, as {example(key)}."
        report.problem(f"{path} {what}", fix, node)


def _wrong(key: Key, node: Node) -> tuple[str, str]:
    """Of a value that its key can't hold: what it must be, and how to write it."""
    what = f"must be {expected(key)}"
    if key.kind == "choice" and isinstance(node.value, str):
        near = nearest(node.value, list(get_args(key.annotation)))
        fix = f'Did you mean "{near}"?' if near else rewrite(key)
        return f"{what}.", FOREIGN_VALUES.get((key.path, node.value), fix)
    if fits(key, node.value):
        return f"{what}.", rewrite(key)
    of = "its variable gives" if node.source == "env" else "it is"
    return f"{what}, but {of} {found(node.value)}.", rewrite(key)
