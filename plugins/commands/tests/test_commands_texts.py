"""Every sentence that people are shown is there in Chinese."""

from __future__ import annotations

from gettext import GNUTranslations
from pathlib import Path

from babel.messages.extract import extract_from_dir

import clawdbot_commands
from clawdbot_commands.options import Options
from clawdbot_commands.texts import DOMAIN, LOCALES

PACKAGE = Path(clawdbot_commands.__file__).parent


def test_all_sentences_are_translated() -> None:
    compiled = LOCALES / "zh_CN" / "LC_MESSAGES" / f"{DOMAIN}.mo"
    with compiled.open("rb") as file:
        chinese = GNUTranslations(file)
    found = [str(row[2]) for row in extract_from_dir(PACKAGE, [("**.py", "python")])]
    assert len(found) > 40
    assert [text for text in found if chinese.gettext(text) == text] == []


def test_the_readme_names_every_option() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    names = [field.alias or name for name, field in Options.model_fields.items()]
    assert [name for name in names if f"`{name}`" not in readme] == []
