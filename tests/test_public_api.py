"""The public API: one list, documented, with what is deprecated in one file."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

import pytest

import clawdcore
from clawdcore import deprecations, testing
from clawdcore.deprecations import ClawdBotDeprecationWarning, Deprecation

PAGE = (Path(__file__).parents[1] / "docs" / "api.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `([\w.]+)` \| (.*?) \|$", PAGE, re.MULTILINE))


def first_line(value: object) -> str:
    """That of its docstring, which for a plain value says nothing of it."""
    if not (inspect.isclass(value) or inspect.isroutine(value)):
        return ""
    said = (inspect.getdoc(value) or "").split("\n")[0]
    return re.sub(r":\w+:`~?(?:[\w.]*\.)?(\w+)`", r"`\1`", said).replace("``", "`")


@pytest.mark.parametrize("module", ["clawdcore", "clawdcore.testing"])
def test_every_public_name_stands_on_the_page_with_what_it_is(module: str) -> None:
    home = importlib.import_module(module)
    listed = {n: text for n, text in ROWS.items() if n.rpartition(".")[0] == module}
    assert {name.rpartition(".")[2] for name in listed} == {n for n in home.__all__ if n[0] != "_"}
    for name, text in listed.items():
        said = first_line(getattr(home, name.rpartition(".")[2]))
        assert text == said or (text and not said), name


def test_what_is_not_on_the_list_can_not_be_had() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Edge'"):
        _ = clawdcore.Edge
    with pytest.raises(AttributeError):
        _ = testing.nothing


def test_an_old_name_works_and_says_what_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    old = Deprecation(instead="Reply", since="0.2", gone="0.4")
    monkeypatch.setitem(deprecations.NAMES, "Answer", old)
    with pytest.warns(ClawdBotDeprecationWarning, match=r"goes with 0\.4: use clawdcore\.Reply"):
        found = clawdcore.Answer
    assert found is clawdcore.Reply


def test_each_deprecation_leads_to_a_public_name_and_is_on_the_page() -> None:
    for name, entry in deprecations.NAMES.items():
        assert entry.instead in clawdcore.__all__
        assert name not in clawdcore.__all__
        assert f"`{name}`" in PAGE
