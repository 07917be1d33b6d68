"""The real engines on text that was drawn and photographed (ocr_pictures.py)."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from clawdbot_ocr.choosing import reader
from clawdbot_ocr.failures import NoText
from clawdbot_ocr.options import OcrOptions
from clawdbot_ocr.reading import Picture, Reading

pytestmark = pytest.mark.real
LIMIT = 600.0
"""Seconds after which a test fails; a picture takes one or two."""
NEED = "tesseract {} is not installed (apt install tesseract-ocr tesseract-ocr-{})"
BOUNDS = {
    # The worst that an engine may do; what it does is in docs/adr/0016-ocr-engines.md.
    "rapidocr": {
        "clean": 0.01,
        "noisy": 0.03,
        "tilted": 0.01,
        "turned": 0.02,
        "chinese": 0.02,
        "mixed": 0.05,
        "photographed": 0.05,
        "small": 0.03,
    },
    "tesseract": {
        "clean": 0.01,
        "noisy": 0.06,
        "tilted": 0.05,
        "turned": 0.05,
        "chinese": 0.05,
        "mixed": 0.15,
        "photographed": 0.1,
        "small": 0.05,
        "russian": 0.05,
    },
}


@pytest.fixture(scope="module")
def drawn() -> Any:
    """The module with the pictures."""
    sys.path.insert(0, str(Path(__file__).parent))
    try:
        return import_module("ocr_pictures")
    finally:
        sys.path.remove(str(Path(__file__).parent))


@pytest.fixture(scope="module")
def cases(drawn: Any) -> dict[str, list[Any]]:
    """Pictures by what is hard about them."""
    try:
        found: dict[str, list[Any]] = drawn.cases()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    return found


def need(engine: str, *languages: str) -> None:
    """Skip where tesseract or its data are wanted and not here."""
    if engine == "rapidocr":
        return
    program = shutil.which("tesseract")
    told = [program, "--list-langs"] if program else ["true"]
    here = subprocess.run(told, capture_output=True, check=True, text=True).stdout.split()
    for language in languages:
        if language not in here:
            pytest.skip(NEED.format(language, language.replace("_", "-")))


def read(engine: str, *files: bytes, languages: Sequence[str] = ("eng", "chi_sim")) -> list[str]:
    """The texts, "" where there is none; one engine reads all."""
    return ["\n".join(each.pages) for each in readings(engine, *files, languages=languages)]


def readings(engine: str, *files: bytes, languages: Sequence[str]) -> list[Reading]:
    options = OcrOptions.model_validate(
        {"engine": engine, "languages": list(languages), "seconds": 120}
    )

    async def work() -> list[Reading]:
        made = reader(options)
        found = []
        try:
            async with asyncio.timeout(LIMIT):
                for data in files:
                    try:
                        found.append(await made.read(Picture(data)))
                    except NoText:
                        found.append(Reading(("",)))
        finally:
            await made.close()
        return found

    return asyncio.run(work())


@pytest.mark.parametrize("engine", BOUNDS)
def test_text_is_read(engine: str, drawn: Any, cases: dict[str, list[Any]]) -> None:
    need(engine, "eng", "chi_sim", "rus", "osd")
    names = [name for name in cases if name in BOUNDS[engine]]
    files = [drawn.file(case.picture) for name in names for case in cases[name]]
    texts = iter(read(engine, *files, languages=("eng", "chi_sim", "rus")))
    rates = {
        name: sum(drawn.character_error_rate(case.text, next(texts)) for case in cases[name])
        / len(cases[name])
        for name in names
    }
    assert {name: rate for name, rate in rates.items() if rate > BOUNDS[engine][name]} == {}


def test_a_sideways_photograph_is_read(drawn: Any, cases: dict[str, list[Any]]) -> None:
    turned = [drawn.turned(case.picture, 270) for case in cases["photographed"]]
    texts = read("rapidocr", *(drawn.jpeg(picture) for picture in turned))
    for case, text in zip(cases["photographed"], texts, strict=True):
        assert drawn.character_error_rate(case.text, text) < 0.05


def test_auto_reads_each_script_with_the_better_engine(
    drawn: Any, cases: dict[str, list[Any]]
) -> None:
    need("auto", "eng", "chi_sim", "rus", "osd")
    files = [drawn.file(cases[name][0].picture) for name in ("clean", "chinese", "russian")]
    found = readings("auto", *files, languages=("eng", "chi_sim", "rus"))
    assert [reading.engine for reading in found] == ["rapidocr", "rapidocr", "tesseract"]
    assert drawn.character_error_rate(cases["russian"][0].text, found[2].pages[0]) < 0.02


@pytest.mark.parametrize("engine", ["rapidocr", "tesseract"])
def test_pictures_without_text_become_no_words(engine: str, drawn: Any) -> None:
    need(engine, "eng", "osd")
    down, right = np.mgrid[0:400, 0:600]
    sky = np.stack([down / 2, right / 4, 255 - down / 3], axis=-1).astype(np.uint8)
    meadow = Image.fromarray(sky).filter(ImageFilter.GaussianBlur(5))
    white = Image.new("RGB", (600, 400), "white")
    assert read(engine, drawn.file(white), drawn.jpeg(meadow), languages=["eng"]) == ["", ""]


@pytest.mark.parametrize("size", [(3, 3), (4000, 8), (8, 4000), (30, 30)])
@pytest.mark.parametrize("engine", ["rapidocr", "tesseract"])
def test_pictures_of_any_shape_are_survived(engine: str, size: tuple[int, int], drawn: Any) -> None:
    need(engine, "eng", "osd")
    assert read(engine, drawn.file(Image.new("RGB", size, "grey")), languages=["eng"]) == [""]


@pytest.mark.parametrize("engine", ["rapidocr", "tesseract"])
def test_no_file_is_made(
    engine: str,
    drawn: Any,
    cases: dict[str, list[Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That not a byte can be written is in test_ocr_pool.py; here, nobody tries."""
    need(engine, "eng", "osd")
    for name in ("TMPDIR", "TMP", "TEMP", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    (text,) = read(engine, drawn.file(cases["clean"][0].picture), languages=["eng"])
    assert text
    assert not list(tmp_path.rglob("*"))


def test_no_network_is_needed(drawn: Any, cases: dict[str, list[Any]]) -> None:
    """In a namespace of its own there is none, where the system lets us make one."""
    program = shutil.which("unshare")
    if program is None or subprocess.run([program, "-rn", "true"], check=False).returncode:
        pytest.skip("no namespace without a network can be made here (unshare -rn)")
    work = (
        "import sys\n"
        "from io import BytesIO\n"
        "from PIL import Image\n"
        "from clawdbot_ocr.rapid import RapidOcr\n"
        "page = Image.open(BytesIO(sys.stdin.buffer.read())).convert('RGB')\n"
        "sys.stdout.buffer.write(RapidOcr().read(page).text.encode())\n"
    )
    done = subprocess.run(
        [program, "-rn", sys.executable, "-P", "-c", work],
        input=drawn.file(cases["clean"][0].picture),
        stdout=subprocess.PIPE,
        env={**os.environ, "ORT_DISABLE_TELEMETRY": "1"},
        timeout=LIMIT,
        check=True,
    )
    rate = drawn.character_error_rate(cases["clean"][0].text, done.stdout.decode())
    assert rate < 0.01
