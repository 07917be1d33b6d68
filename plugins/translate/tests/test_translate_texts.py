"""Every sentence that people are shown is there in Chinese."""

from __future__ import annotations

import ast
from gettext import GNUTranslations
from inspect import getmembers, isfunction, signature
from pathlib import Path
from typing import Any

from clawdbot_translate import plugin, texts
from clawdbot_translate.languages import Language
from clawdbot_translate.texts import DOMAIN, LOCALES

SENTENCES = [
    (name, function)
    for name, function in getmembers(texts, isfunction)
    if function.__module__ == texts.__name__ and not name.startswith("_")
]


def given(function: Any, language: str) -> str:
    """The sentence with something for each of its places."""
    something = {
        "target": Language.parse("fr"),
        "names": ["model", "google"],
        "places": ["LibreTranslate"],
        "count": 2500,
        "limit": 2000,
        "seconds": 5.0,
        "sure": True,
        "name": "X",
        "word": "X",
        "language": language,
    }
    wanted = signature(function).parameters
    listed = wanted.get("names")
    if listed is not None and listed.annotation == "str":
        something["names"] = "X"
    return str(function(**{name: something[name] for name in wanted}))


def test_every_sentence_is_there_in_chinese() -> None:
    assert len(SENTENCES) > 25
    for name, function in SENTENCES:
        english, chinese = given(function, "de"), given(function, "zh-hans")
        assert english != chinese and any("\u4e00" <= c <= "\u9fff" for c in chinese), name


def test_what_help_says_of_each_command_is_there_in_chinese() -> None:
    with (LOCALES / "zh_CN/LC_MESSAGES" / f"{DOMAIN}.mo").open("rb") as file:
        catalogue = GNUTranslations(file)
    tree = ast.parse(Path(plugin.__file__).read_text(encoding="utf-8"))
    helped = [
        ast.get_docstring(node) or ""
        for node in ast.walk(tree)
        if isinstance(node, ast.AsyncFunctionDef)
        and node.args.args[0].arg == "message"
        and ast.get_docstring(node)
    ]
    assert len(helped) == 5
    assert all(catalogue.gettext(line) != line for line in helped)


def test_sentences_name_the_bound_and_the_language() -> None:
    assert "2500" in texts.too_long(2500, 2000, "en") and "2000" in texts.too_long(2500, 2000, "zh")
    assert "French" in texts.echoed(Language.parse("fr"), "de")
    assert "法语" in texts.echoed(Language.parse("fr"), "zh")


def test_a_word_that_is_no_language_is_quoted_in_part_only() -> None:
    assert len(texts.unknown_language("x" * 5000, "en")) < 200
