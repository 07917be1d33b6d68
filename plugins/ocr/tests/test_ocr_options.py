from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from clawdbot_ocr import Ocr
from clawdbot_ocr.options import OcrOptions
from clawdcore.testing import Harness

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.parametrize(
    "options",
    [
        {"engine": "easyocr"},
        {"languages": []},
        {"languages": ["English"]},
        {"languages": ["eng; rm -rf /"]},
        {"languages": ["-l"]},
        {"maxMegapixels": 0},
        {"maxPages": 0},
        {"line": -1},
        {"seconds": 0},
        {"max_pages": 5},
    ],
)
def test_wrong_options_are_refused_without_quoting_them(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        OcrOptions.model_validate(options)
    assert "input_value" not in str(caught.value)


def test_a_misspelt_option_disables_the_plugin_and_says_so() -> None:
    config = {"plugins": [{"name": "ocr", "options": {"maxPage": 5}}]}
    with Harness([Ocr()], config=config) as bot:
        assert "did you mean 'maxPages'" in str(bot.report.disabled["ocr"])


def test_every_option_is_described_and_in_the_readme() -> None:
    documented = set(re.findall(r"^\| `(\w+)` \|", README.read_text("utf-8"), re.MULTILINE))
    fields = OcrOptions.model_fields
    assert {field.alias for field in fields.values()} <= documented
    assert all(field.description for field in fields.values())
