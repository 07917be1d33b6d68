"""Every text of the plugin, its command's summary too, is there in Chinese."""

from __future__ import annotations

from clawdbot_voice import Voice
from clawdcore.testing import Harness, untranslated


def test_all_texts_are_translated() -> None:
    with Harness([Voice()]) as bot:
        assert untranslated(bot, "voice") == []
