"""What a plugin says to people, and what of it is not translated yet."""

from __future__ import annotations

import ast
from pathlib import Path

from ..hooks.catalogues import CORE, catalogue_of
from ..texts import LANGUAGES
from .harness import Harness


def untranslated(bot: Harness, plugin: str) -> list[str]:
    """The texts of a loaded plugin that readers of another language are shown in English.

    These are the first lines of its commands' docstrings, and in the code of its package
    what stands in ``_("…")`` and ``UsageError("…")``. A text counts as translated when the
    compiled catalogue (``locale/zh_CN/LC_MESSAGES/PACKAGE.mo``) has another text for it.

    Raises:
        LookupError: the bot has no such plugin.
    """
    tables = bot.worker.tables
    target = next((each.target for each in tables.plugins if each.name == plugin), None)
    if target is None:
        names = ", ".join(each.name for each in tables.plugins)
        raise LookupError(f"the bot has no plugin {plugin!r}, only: {names or 'none'}")
    catalogue = catalogue_of(target)
    texts = {each.summary for each in tables.commands.values() if each.plugin == plugin}
    if catalogue is not CORE:
        for file in catalogue.folder.parent.rglob("*.py"):
            texts |= marked(file)
    languages = [language for language in LANGUAGES if language]
    return sorted(
        text for text in texts if any(catalogue.text(text, each) == text for each in languages)
    )


def marked(file: Path) -> set[str]:
    """The texts in one Python file that are marked to be translated."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "id", "")
            first = node.args[0]
            if name not in {"_", "UsageError"} or not isinstance(first, ast.Constant):
                continue
            if isinstance(first.value, str) and first.value:
                found.add(first.value)
    return found
