"""The guides: every Python block runs, every link and anchor leads somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from clawdcore.testing import BackendConformance, Harness, network_refused

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
GUIDES = ["backends", "coming-from", "cookbook", "howto", "tutorial"]
"""Pages on which each section with Python has a plugin and its tests."""
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
PLAIN = re.compile(r"^```py\n(.*?)^```", re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def sections(page: str) -> Iterator[tuple[str, list[str]]]:
    """The headings under which Python stands, and its blocks."""
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        title, _, body = part.partition("\n")
        if blocks := BLOCK.findall(body):
            yield title, blocks


def made(source: str, **given: object) -> ModuleType:
    module = ModuleType("clawdbot_example")
    module.__dict__.update(given)
    exec(compile(source, "the page", "exec"), module.__dict__)
    return module


def functions_of(module: ModuleType) -> list[str]:
    return [name for name in vars(module) if name.startswith("test_")]


CASES = [
    pytest.param(blocks, id=f"{page}: {title}")
    for page in GUIDES
    for title, blocks in sections(page)
    if page != "backends"
]


@pytest.mark.parametrize("blocks", CASES)
def test_what_stands_under_a_heading_is_a_plugin_and_passes_its_tests(blocks: list[str]) -> None:
    modules = [made(block) for block in blocks]
    plugins = [module for module in modules if not functions_of(module)]
    tests = [module for module in modules if functions_of(module)]
    assert tests or "PluginConformance" in str(blocks) or len(plugins) == 1
    with network_refused(), Harness(plugins) as bot:
        assert not bot.report.disabled
    for module in tests:
        for name in functions_of(module):
            test = getattr(module, name)
            marks = {mark.name: mark.args for mark in getattr(test, "pytestmark", ())}
            config = dict(marks["config"][0]) if "config" in marks else {}
            for entry in config.get("plugins", ()):
                entry["name"] = "example"
            with (
                network_refused(),
                Harness(plugins, config=config, reraise="failures" not in marks) as bot,
            ):
                test(bot)


def test_the_line_that_tries_what_everybody_sends_does() -> None:
    page = "tutorial"
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    [line] = [block for block in PLAIN.findall(text) if "PluginConformance" in block]
    [[plugin]] = [blocks for title, blocks in sections(page) if title.startswith("Try what")]
    checks = made(line.replace('"egg"', "egg"), egg=made(plugin)).TestConformance()
    names = [name for name in dir(checks) if name.startswith("test_")]
    assert len(names) >= 12
    for name in names:
        try:
            getattr(checks, name)()
        except pytest.skip.Exception as reason:
            assert "no options" in str(reason)


def test_no_block_is_left_out() -> None:
    """What another framework's code looks like is shown, and cannot run here."""
    for page in GUIDES:
        text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
        assert sum(len(blocks) for _, blocks in sections(page)) == len(BLOCK.findall(text))
        for block in PLAIN.findall(text):
            compile(block, page, "exec")
            assert "PluginConformance" in block or block.startswith("# there\n"), page


def test_the_backend_of_the_page_is_one() -> None:
    [(_, [backend]), (_, [conformance])] = list(sections("backends"))
    module = made(backend)
    with Harness([module], backend=module.Echo()) as bot:
        assert not bot.report.disabled
    checks: BackendConformance = made(conformance, Echo=module.Echo).TestEcho()
    names = [name for name in dir(checks) if name.startswith("test_")]
    assert len(names) >= 7
    for name in names:
        getattr(checks, name)()


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_every_file_that_is_named_exists(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for name in re.findall(
        r"`((?:clawdcore|plugins|backends|examples|bench|tools)/[\w./-]+)`", text
    ):
        assert (ROOT / name).exists(), name


def slug(heading: str) -> str:
    """The anchor of a heading, as the site's Markdown makes it."""
    if own := re.search(r"\{#([\w-]+)\}\s*$", heading):
        return own[1]
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    plain = re.sub(r"[^\w\s-]", "", plain).strip().lower()
    return re.sub(r"[-\s]+", "-", plain)


def anchors(page: Path) -> set[str]:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    return {slug(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}


PAGES = [*sorted(DOCS.rglob("*.md")), *ROOT.glob("*.md"), *ROOT.glob("examples/**/README*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_and_anchor_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        target, _, anchor = link.partition("#")
        if re.match(r"https?:|mailto:", target):
            continue
        found = (page.parent / target).resolve() if target else page
        assert found.exists(), link
        if anchor and found.suffix == ".md":
            assert anchor in anchors(found), link
