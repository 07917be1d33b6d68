"""The documentation site: every page is in its menu, and in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
MENU = re.findall(r"^ +- ([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
ENGLISH_ONLY = ("adr/", "features/", "reference/", "changelog.md")
"""Decisions, what is made from the code, and what stands elsewhere in the repository."""
PAGES = sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))
ENGLISH = [page for page in PAGES if not page.endswith(".zh.md")]
TRANSLATED = [page for page in ENGLISH if not page.startswith(ENGLISH_ONLY)]
FENCED = re.compile(r"^ *```(\w*)[^\n]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"\s*(#|//).*")


def test_every_page_is_in_the_menu_once() -> None:
    shown = [page for page in ENGLISH if not re.match(r"adr/\d", page)]
    assert sorted(MENU) == shown


def test_every_decision_is_on_the_list_of_decisions() -> None:
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)$", (DOCS / "adr/README.md").read_text(), re.M)
    assert listed == [page.name for page in sorted((DOCS / "adr").glob("0*.md"))]


def test_every_plugin_and_backend_has_a_page() -> None:
    folders = {path.parent.name for path in ROOT.glob("plugins/*/README.md")}
    folders |= {path.parent.name for path in ROOT.glob("backends/*/README.md")}
    assert {f"features/{name}.md" for name in folders - {"vllm"}} | {"vllm.md"} <= set(MENU)


def test_no_translation_is_left_of_a_page_that_is_gone() -> None:
    chinese = [page for page in PAGES if page.endswith(".zh.md")]
    assert [page for page in chinese if page.replace(".zh.md", ".md") not in ENGLISH] == []


def outline(text: str) -> list[int]:
    """The levels of its headings, in order."""
    plain = FENCED.sub("", text)
    return [len(mark) for mark in re.findall(r"^(#+) ", plain, re.MULTILINE)]


def code(text: str) -> list[tuple[str, str]]:
    """What stands in its fences, comments and strings for people left out."""
    return [(language, COMMENT.sub("", body)) for language, body in FENCED.findall(text)]


def rows(text: str) -> list[int]:
    """The columns of each row of its tables."""
    plain = FENCED.sub("", text)
    found = re.findall(r"^\|.*\|$", plain, re.MULTILINE)
    return [len(re.findall(r"(?<!\\)\|", re.sub(r"`[^`]*`", "", row))) for row in found]


@pytest.mark.parametrize("page", TRANSLATED)
def test_the_chinese_page_has_the_same_parts(page: str) -> None:
    english = (DOCS / page).read_text(encoding="utf-8")
    twin = DOCS / page.replace(".md", ".zh.md")
    assert twin.exists(), f"docs/{page} has no translation; write docs/{twin.name}"
    chinese = twin.read_text(encoding="utf-8")
    assert re.search("[\u4e00-\u9fff]", chinese)
    assert outline(chinese) == outline(english)
    assert rows(chinese) == rows(english)
    ours, theirs = code(english), code(chinese)
    assert [language for language, _ in theirs] == [language for language, _ in ours]
    # What a reader copies is the same; only words for people may differ.
    for (language, body), (_, other) in zip(ours, theirs, strict=True):
        if language in {"python", "sh", "toml", "yaml"}:
            assert other == body
