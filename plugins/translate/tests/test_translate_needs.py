"""What the plugin declares that it reaches: engines that are set up, and no other."""

from __future__ import annotations

from clawdbot_translate import Translate
from clawdbot_translate.options import TranslateOptions


def hosts(**options: object) -> tuple[str, ...]:
    return Translate().needs(TranslateOptions.model_validate(options)).hosts


def test_an_engine_that_is_not_set_up_is_not_reached() -> None:
    assert hosts() == ()


def test_engines_that_are_set_up_are_declared_with_their_hosts() -> None:
    assert hosts(libretranslate={"url": "http://127.0.0.1:5000"}) == ("127.0.0.1",)
    assert hosts(google={}) == ("translation.googleapis.com",)
    assert hosts(google={"endpoint": "https://gt.example.org/v2"}) == ("gt.example.org",)
