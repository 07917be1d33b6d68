"""What the engines decide by themselves; what they read is in test_ocr_real.py."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from clawdbot_ocr import auto, choosing, rapid, tesseract
from clawdbot_ocr.failures import EngineFailed, NotInstalled
from clawdbot_ocr.local import LocalReader
from clawdbot_ocr.options import OcrOptions
from clawdbot_ocr.recogniser import Seen
from clawdbot_ocr.scripts import in_order, of_script, script_of

PAGE = Image.new("RGB", (400, 300), "white")
OSD = """Page number: 0
Orientation in degrees: 180
Rotate: {degrees}
Orientation confidence: {sure}
Script: {script}
Script confidence: {written}
"""


@pytest.mark.parametrize("engine", ["auto", "rapidocr", "tesseract"])
def test_every_engine_of_the_options_has_a_reader_that_starts_nothing(engine: str) -> None:
    made = choosing.reader(OcrOptions.model_validate({"engine": engine}))
    assert isinstance(made, LocalReader)
    assert made.pid is None


# ---- rapidocr


@settings(deadline=None, max_examples=25)
@given(width=st.integers(1, 40_000), height=st.integers(1, 40_000))
def test_the_size_that_rapidocr_gets_is_bounded_by_area_and_shape(width: int, height: int) -> None:
    width = min(width, 4_000_000 // height)
    if not width:
        return
    fitted = rapid.fitting(Image.new("RGB", (width, height)))
    assert fitted.width * fitted.height <= rapid.PIXELS
    assert max(fitted.size) <= min(fitted.size) * (rapid.NARROWEST + 0.1) + rapid.NARROWEST


def test_a_page_of_an_ordinary_size_is_left_as_it_is() -> None:
    assert rapid.fitting(PAGE) is PAGE


def test_half_of_the_processors_are_used() -> None:
    assert [rapid.threads(count) for count in (1, 2, 3, 8)] == [1, 1, 1, 4]


# ---- tesseract, played by a program


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """``program("print(...)")``: the only ``tesseract`` that can be found; ``given`` is its input.

    Its arguments go into the file that is returned, a line for each call.
    """

    def make(body: str) -> Path:
        calls = tmp_path / "calls"
        file = tmp_path / "tesseract"
        file.write_text(
            f"#!{sys.executable}\n"
            "import os, sys\n"
            "given = sys.stdin.buffer.read()\n"
            "arguments = sys.argv[1:]\n"
            f"with open({str(calls)!r}, 'a') as calls:\n"
            "    print(*arguments, os.environ.get('OMP_THREAD_LIMIT'), file=calls)\n"
            "if arguments == ['--list-langs']:\n"
            "    print('List of available languages (5):\\nchi_sim\\neng\\nosd\\nrus\\njpn')\n"
            "    sys.exit()\n"
            "osd = '--psm' in arguments\n" + body
        )
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(tmp_path))
        return calls

    return make


def told(**values: object) -> str:
    said = OSD.format(**({"degrees": 0, "sure": 9, "script": "Latin", "written": 9} | values))
    return f"print({said!r} if osd else 'text', end='')"


def test_a_picture_goes_over_the_pipe_and_the_text_comes_back_tidy(
    program: Callable[[str], Path],
) -> None:
    body = "print(f'one  \\n\\n\\n\\ntwo {given[:4]!r}\\n\\f' if not osd else '', end='')"
    calls = program(body)
    seen = tesseract.Tesseract(("eng", "chi_sim")).read(PAGE)
    assert seen == Seen("one\n\ntwo b'\\x89PNG'", "tesseract")
    assert calls.read_text().splitlines() == [
        "--list-langs 1",
        "stdin stdout -l osd --psm 0 1",
        "stdin stdout -l chi_sim+eng 1",
    ]


def test_a_page_is_turned_as_tesseract_says_if_it_is_sure(program: Callable[[str], Path]) -> None:
    found = tesseract.orientation(OSD.format(degrees=270, sure=1.6, script="Han", written=2.5))
    assert found == tesseract.Orientation(270, "Han")
    found = tesseract.orientation(OSD.format(degrees=270, sure=1.4, script="Han", written=1.9))
    assert found == tesseract.Orientation(0, "")
    assert tesseract.orientation("Too few characters") == tesseract.Orientation()


def test_the_script_picks_the_languages(program: Callable[[str], Path]) -> None:
    calls = program(told(script="Cyrillic"))
    tesseract.Tesseract(("eng", "rus", "chi_sim")).read(PAGE)
    assert "-l eng+rus 1" in calls.read_text()


def test_latin_pages_may_have_chinese_words_and_nothing_else(
    program: Callable[[str], Path],
) -> None:
    calls = program(told(script="Latin"))
    tesseract.Tesseract(("eng", "rus", "chi_sim")).read(PAGE)
    assert "-l chi_sim+eng 1" in calls.read_text()


def test_a_script_that_is_not_known_leaves_all_languages(program: Callable[[str], Path]) -> None:
    calls = program(told(script="Thai"))
    tesseract.Tesseract(("eng", "rus", "chi_sim")).read(PAGE)
    assert "-l chi_sim+eng+rus 1" in calls.read_text()


def test_too_little_on_a_page_for_its_orientation_is_no_failure(
    program: Callable[[str], Path],
) -> None:
    program("sys.exit(1) if osd else print('STOP')")
    assert tesseract.Tesseract(("eng",)).read(PAGE).text == "STOP"


def test_a_program_that_fails_is_told(program: Callable[[str], Path]) -> None:
    program("print('secret', file=sys.stderr); sys.exit(1)")
    with pytest.raises(EngineFailed) as caught:
        tesseract.Tesseract(("eng",)).read(PAGE)
    assert "secret" not in str(caught.value)


def test_languages_whose_data_is_missing_are_left_out_and_none_is_told(
    program: Callable[[str], Path],
) -> None:
    program(told())
    assert tesseract.Tesseract(("eng", "fra")).languages == ("eng",)
    with pytest.raises(NotInstalled) as caught:
        tesseract.Tesseract(("fra", "chi_tra"))
    assert caught.value.fix == "apt install tesseract-ocr-fra tesseract-ocr-chi-tra"


def test_without_the_program_its_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotInstalled, match="apt install tesseract-ocr"):
        tesseract.Tesseract(("eng",))


def test_small_pages_are_enlarged_and_large_ones_made_smaller() -> None:
    assert tesseract.fitting(Image.new("L", (200, 100))).size == (400, 200)
    assert tesseract.fitting(Image.new("L", (1000, 800))).size == (1000, 800)
    large = tesseract.fitting(Image.new("L", (6000, 3000)))
    assert large.width * large.height <= tesseract.PIXELS


# ---- auto


class Rapid:
    """rapidocr, as far as it is here."""

    def __init__(self, languages: Sequence[str]) -> None:
        self.languages = languages

    def read(self, page: Image.Image) -> Seen:
        """Who it was."""
        return Seen("text", rapid.NAME)


def absent(languages: Sequence[str]) -> Any:
    raise NotInstalled("none")


@pytest.mark.parametrize(
    ("script", "languages", "engine"),
    [
        ("Cyrillic", ("eng", "rus"), "tesseract"),
        ("Latin", ("eng", "rus"), "rapidocr"),
        ("Han", ("eng", "rus", "chi_sim"), "rapidocr"),
        ("Cyrillic", ("eng", "chi_sim"), "rapidocr"),
        ("Arabic", ("eng", "rus"), "rapidocr"),
    ],
)
def test_the_script_picks_the_engine(
    script: str,
    languages: tuple[str, ...],
    engine: str,
    program: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program(told(script=script))
    monkeypatch.setattr(auto, "RapidOcr", Rapid)
    assert auto.Auto(languages).read(PAGE).engine == engine


def test_the_script_is_not_asked_for_where_it_changes_nothing(
    program: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = program(told())
    monkeypatch.setattr(auto, "RapidOcr", Rapid)
    auto.Auto(("eng", "chi_sim")).read(PAGE)
    assert calls.read_text().splitlines() == ["--list-langs 1"]


def test_either_engine_is_enough(
    program: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program(told())
    monkeypatch.setattr(auto, "RapidOcr", absent)
    assert auto.Auto(("eng",)).read(PAGE).engine == "tesseract"
    (tmp_path / "tesseract").unlink()
    with pytest.raises(NotInstalled):
        auto.Auto(("eng",))
    monkeypatch.setattr(auto, "RapidOcr", Rapid)
    assert auto.Auto(("eng",)).read(PAGE).engine == "rapidocr"


def test_languages_and_their_scripts() -> None:
    assert script_of("eng") == script_of("deu") == "Latin"
    assert script_of("rus") == "Cyrillic"
    assert of_script(("eng", "rus", "ukr"), "Cyrillic") == ("rus", "ukr")
    assert in_order(("eng", "chi_sim", "rus", "jpn")) == ("chi_sim", "jpn", "eng", "rus")


def test_weights_that_are_not_in_the_wheel_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = SimpleNamespace(origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(rapid, "find_spec", lambda name: found)
    with pytest.raises(NotInstalled):
        rapid.RapidOcr()
    assert not list(tmp_path.iterdir())
    assert os.environ.get("PATH")
