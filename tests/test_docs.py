"""Documentation that can't rot: what exists is described, and examples run."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

import clawdcore
from clawdcore.hooks.checks import HOOKS
from clawdcore.testing import Harness

ROOT = Path(__file__).parents[1]
HOOKS_PAGE = (ROOT / "docs" / "hooks.md").read_text(encoding="utf-8")
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]


@pytest.mark.parametrize("hook", sorted(HOOKS))
def test_every_hook_has_its_rule_and_its_section(hook: str) -> None:
    assert f"| `{hook}` |" in HOOKS_PAGE
    assert re.search(rf"^## .*\b{hook}\(", HOOKS_PAGE, re.MULTILINE)


def test_no_hook_is_described_that_does_not_exist() -> None:
    described = set(re.findall(r"^\| `(\w+)` \|", HOOKS_PAGE, re.MULTILINE))
    assert described == set(HOOKS)


def test_every_public_name_exists_and_has_a_docstring() -> None:
    for name in clawdcore.__all__:
        value = getattr(clawdcore, name)
        if isinstance(value, type):
            assert value.__doc__, name


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def module(source: str) -> ModuleType:
    made = ModuleType("clawdbot_example")
    exec(compile(source, "example", "exec"), made.__dict__)
    return made


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
def test_the_smallest_plugin_of_the_readme_works(page: Path) -> None:
    plugin, test = blocks(page, "python")
    with Harness([module(plugin)]) as bot:
        module(test).test_hello(bot)


def test_the_examples_of_the_plugin_page_work() -> None:
    examples = map(module, blocks(ROOT / "docs" / "plugins.md", "python"))
    haiku, haiku_test, count, count_test, city, add, tea, thanks, *others = examples
    rate, rate_test, dice, wipe, wipe_test = others
    with Harness([rate], reraise=True) as bot:
        rate_test.test_rate(bot)
    with Harness([count]) as bot:
        count_test.test_count(bot)
    with Harness([haiku]) as bot:
        haiku_test.test_haiku(bot)
    with Harness([city]) as bot:
        assert bot.say("/city") == "Your city: not set"
        assert bot.say("/city New York") == "Your city: New York"
    with Harness([add]) as bot:
        assert bot.say("/add milk") == "milk"
        assert bot.say("/add bread") == "milk, bread"
    with Harness([tea]) as bot:
        assert bot.say("/tea 5") == "In 5 minutes."
    with Harness([dice]) as bot:
        assert bot.say("/dice 20") == "10.5"
    with Harness([wipe]) as bot:
        wipe_test.test_wipe(bot)
    with Harness([thanks]) as bot:
        assert bot.say("Thanks") == "You're welcome!"


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
def test_links_of_the_readmes_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_both_readmes_show_the_same_examples() -> None:
    english, chinese = READMES
    for language in ("python", "toml", "sh"):
        strip = [re.sub(r"#.*", "", block) for block in blocks(english, language)]
        assert strip == [re.sub(r"#.*", "", block) for block in blocks(chinese, language)]
