"""How good the translations are, by engine: chrF on the project's own sentences.

The model is the embedded one. LibreTranslate is measured where ``LIBRETRANSLATE_URL`` names
a server, Google where ``GOOGLE_TRANSLATE_KEY`` holds a key: neither is asked otherwise.
``python bench/translate_quality.py`` prints every sentence.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Final

BENCH: Final = str(Path(__file__).resolve().parents[1])


def measured(engine: str) -> dict[str, Any]:
    """The figures of one engine, from ``bench/translate_quality.py`` beside this folder."""
    if BENCH not in sys.path:
        sys.path.append(BENCH)
    found: dict[str, Any] = import_module("translate_quality").measured(engine)
    return found


def figures() -> dict[str, float]:
    """The chrF by engine, 0 to 100, and for the model the share without any translation."""
    found = measured("model")
    named = {"chrf_model": found["chrf_mean"], "translate_model_echo": found["echo_share"]}
    if os.environ.get("LIBRETRANSLATE_URL"):
        named["chrf_libretranslate"] = measured("libretranslate")["chrf_mean"]
    if os.environ.get("GOOGLE_TRANSLATE_KEY"):
        named["chrf_google"] = measured("google")["chrf_mean"]
    return named


if __name__ == "__main__":
    print(json.dumps(figures()))
