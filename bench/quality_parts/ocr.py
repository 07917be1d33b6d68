"""How many characters the engines get wrong, and how long a picture takes, on drawn pages.

``python -m bench.quality_parts.ocr`` prints a table. The pictures are those of the plugin's
own tests of real engines (``plugins/ocr/tests/ocr_pictures.py``). The rows with ``alone`` are
an engine as it comes, without what the plugin does to a page. What is not installed is left
out, and says so.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from statistics import mean
from typing import Any, Final

import numpy as np
from PIL import Image

from clawdbot_ocr.choosing import reader
from clawdbot_ocr.failures import EngineFailed, NoText
from clawdbot_ocr.options import OcrOptions
from clawdbot_ocr.rapid import RapidOcr
from clawdbot_ocr.reading import Picture, Reader
from clawdbot_ocr.tesseract import Tesseract

PICTURES: Final = Path(__file__).parents[2] / "plugins" / "ocr" / "tests"
ENGINES: Final = ("rapidocr", "tesseract", "auto")
LANGUAGES: Final = ("eng", "chi_sim", "rus")
"""Data of tesseract's that is used, where it is here (tesseract-ocr-chi-sim, -rus)."""
SECONDS: Final = 120.0


def figures() -> dict[str, float]:
    """``cer_ENGINE_CASE`` (0 is perfect) and ``seconds_ENGINE`` (of a picture, on average)."""
    sys.path.insert(0, str(PICTURES))
    drawn = import_module("ocr_pictures")
    try:
        cases: dict[str, list[Any]] = drawn.cases()
    except FileNotFoundError as error:
        print(f"ocr: left out, {error}")
        return {}
    found: dict[str, float] = {}
    print(f"{'CER':<16}" + "".join(f"{name:>13}" for name in cases) + f"{'seconds':>10}")
    pictures = [it for each in cases.values() for it in each]
    for engine in (*ENGINES, *ALONE):
        try:
            texts, took = _alone(engine, pictures) if engine in ALONE else _ours(engine, pictures)
        except EngineFailed as error:
            print(f"{engine:<16} left out: {error}")
            continue
        left = iter(texts)
        rates = [
            mean(drawn.character_error_rate(it.text, next(left)) for it in each)
            for each in cases.values()
        ]
        found |= {f"cer_{engine}_{name}": rate for name, rate in zip(cases, rates, strict=True)}
        found[f"seconds_{engine}"] = took
        print(engine.ljust(16) + "".join(f"{rate:13.3f}" for rate in rates) + f"{took:10.2f}")
    return found


def _ours(engine: str, cases: Sequence[Any]) -> tuple[list[str], float]:
    """The texts, and the seconds that a picture takes, loading the engine left out."""
    texts, took = asyncio.run(_read(engine, cases))
    return texts, took / len(texts)


def _alone(engine: str, cases: Sequence[Any]) -> tuple[list[str], float]:
    """The same of an engine as it comes, without what the plugin does to a page."""
    read = ALONE[engine]()
    read(cases[0].picture)
    began = time.perf_counter()
    texts = [read(case.picture) for case in cases]
    return texts, (time.perf_counter() - began) / len(texts)


def _rapidocr() -> Callable[[Image.Image], str]:
    engine: Any = RapidOcr()._engine
    engine.max_side_len = 2_000  # its own bound

    def read(page: Image.Image) -> str:
        return "\n".join(engine(np.asarray(page.convert("RGB"))[:, :, ::-1]).txts or ())

    return read


def _tesseract() -> Callable[[Image.Image], str]:
    engine = Tesseract(LANGUAGES)

    def read(page: Image.Image) -> str:
        given, languages = drawn_file(page.convert("L")), "+".join(engine.languages)
        return engine._run(given, "stdin", "stdout", "-l", languages)

    return read


def drawn_file(picture: Image.Image) -> bytes:
    """A PNG file of it."""
    data: bytes = import_module("ocr_pictures").file(picture)
    return data


ALONE: Final = {"rapidocr_alone": _rapidocr, "tesseract_alone": _tesseract}


async def _read(engine: str, cases: Sequence[Any]) -> tuple[list[str], float]:
    """The texts, and the seconds that all took, loading the engine left out."""
    options = OcrOptions.model_validate(
        {"engine": engine, "languages": list(LANGUAGES), "seconds": SECONDS}
    )
    made = reader(options)
    try:
        await _text(made, cases[0])
        began = time.perf_counter()
        texts = [await _text(made, case) for case in cases]
        return texts, time.perf_counter() - began
    finally:
        await made.close()


async def _text(made: Reader, case: Any) -> str:
    try:
        return "\n".join((await made.read(Picture(drawn_file(case.picture), "image/png"))).pages)
    except NoText:
        return ""


if __name__ == "__main__":
    figures()
