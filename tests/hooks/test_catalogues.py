"""A plugin's own translations: where they are found, and what is shown with them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from io import BytesIO
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages import Catalog
from babel.messages.mofile import write_mo

from clawdcore.hooks.catalogues import CORE, catalogue_of
from clawdcore.testing import Harness, User, untranslated

CODE = """
from clawdcore import UsageError, hookimpl

def _(text): return text

@hookimpl
def register_commands(register):
    @register("tide")
    async def tide(message):
        "Tell the tide"
        raise UsageError("Say where.")

    @register("ebb")
    async def ebb(message):
        "Tell the ebb"
        return _("Out it goes.")
"""
ANNE = User(8, "Anne", language="zh-hans")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A plugin that has a translation of one summary and of a usage error."""
    place = tmp_path / "acme_tides"
    folder = place / "locale" / "zh_CN" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (place / "__init__.py").write_text("from .code import *")
    (place / "code.py").write_text(CODE + "__all__ = ['register_commands']")
    catalogue = Catalog(locale="zh_CN")
    catalogue.add("Tell the tide", "潮水")
    catalogue.add("Say where.", "请说地点。")
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    (folder / "acme_tides.mo").write_bytes(compiled.getvalue())
    monkeypatch.syspath_prepend(tmp_path)
    yield import_module("acme_tides")
    for name in ("acme_tides", "acme_tides.code"):
        sys.modules.pop(name, None)


def test_a_packages_own_summaries_and_usage_errors_are_shown(package: ModuleType) -> None:
    with Harness([package]) as bot:
        told = bot.say("/help", sender=ANNE)
        assert "/tide – 潮水" in told
        assert "/ebb – Tell the ebb" in told
        assert "列出命令" in told
        assert bot.say("/help tide", sender=ANNE).startswith("潮水")
        assert bot.say("/tide", sender=ANNE).startswith("请说地点。")
        assert "/tide – Tell the tide" in bot.say("/help")
        assert dict(bot.telegram.commands["zh"])["tide"] == "潮水"
        assert dict(bot.telegram.commands[""])["tide"] == "Tell the tide"


def test_what_is_not_translated_is_listed(package: ModuleType) -> None:
    with Harness([package]) as bot:
        assert untranslated(bot, "acme_tides") == ["Out it goes.", "Tell the ebb"]
        with pytest.raises(LookupError, match="acme_tides"):
            untranslated(bot, "tides")


def test_code_of_any_kind_is_placed(package: ModuleType) -> None:
    found = catalogue_of(package)
    assert found.domain == "acme_tides"
    assert catalogue_of(package.register_commands) == found
    assert (
        catalogue_of(len) == catalogue_of(object()) == catalogue_of(test_code_of_any_kind_is_placed)
    )
    assert catalogue_of(len) is CORE
    assert catalogue_of(catalogue_of) == CORE
