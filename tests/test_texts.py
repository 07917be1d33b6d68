"""The bot's own words: every one is translated, and the compiled catalogue is current."""

from __future__ import annotations

import ast
import string
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from clawdcore.texts import LOCALES, locale_of, translator

ROOT = Path(__file__).parents[1]
CATALOGUES = sorted(
    path for path in ROOT.glob("**/locale/*/LC_MESSAGES/*.po") if ".venv" not in path.parts
)


def marked_texts(package: Path) -> set[str]:
    """What is passed to ``_(…)``, and the templates of usage errors."""
    found = set()
    for file in package.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and node.args):
                continue
            name = getattr(node.func, "id", "")
            inner = getattr(getattr(node.func, "func", None), "id", "")
            first = node.args[0]
            marked = name in {"_", "UsageError"} or inner == "translator"
            if marked and isinstance(first, ast.Constant) and isinstance(first.value, str):
                found.add(first.value)
    return found


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda path: path.stem)
def test_every_text_is_translated(file: Path) -> None:
    with file.open("rb") as stream:
        catalogue = read_po(stream)
    package = file.parents[3]
    missing = {
        text
        for text in marked_texts(package)
        if not (message := catalogue.get(text)) or not message.string or message.fuzzy
    }
    assert not missing


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda path: path.stem)
def test_the_compiled_catalogue_is_current(file: Path) -> None:
    with file.open("rb") as stream:
        catalogue = read_po(stream)
    with file.with_suffix(".mo").open("rb") as stream:
        compiled = read_mo(stream)
    written = {message.id: message.string for message in catalogue if message.id}
    assert {m.id: m.string for m in compiled if m.id} == written, "run: make messages"


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda path: path.stem)
def test_translations_keep_the_names_in_braces(file: Path) -> None:
    def names(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    with file.open("rb") as stream:
        for message in read_po(stream):
            if message.id:
                assert names(str(message.id)) == names(str(message.string)), message.id


def test_there_are_catalogues() -> None:
    assert [path.stem for path in CATALOGUES].count("clawdcore") == 1


@pytest.mark.parametrize("language", ["zh", "zh-hans", "zh-CN", "ZH-TW"])
def test_chinese_readers_read_chinese(language: str) -> None:
    assert locale_of(language) == "zh_CN"
    assert translator(language)("List the commands") == "列出命令"


@pytest.mark.parametrize("language", ["", "en", "fr", "x" * 50, "../../etc"])
def test_others_read_english(language: str) -> None:
    assert translator(language)("List the commands") == "List the commands"
    assert LOCALES.is_dir()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_empty_text_stays_empty(language: str) -> None:
    assert translator(language)("") == ""
