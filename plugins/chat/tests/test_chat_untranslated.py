"""Every text of the plugin, its commands' summaries too, is there in Chinese."""

from __future__ import annotations

from typing import Any

from clawdcore.testing import untranslated


def test_all_texts_are_translated(make_bot: Any) -> None:
    assert untranslated(make_bot(), "chat") == []
