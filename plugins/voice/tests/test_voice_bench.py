"""bench/quality_parts/voice.py: where openai-whisper's figures come from, and how words count."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

FILE = Path(__file__).resolve().parents[3] / "bench" / "quality_parts" / "voice.py"
FIGURES = {"wer_openai_whisper_es_419": 0.25, "rtf_openai_whisper": 0.5}


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    """The benchmark, which is no part of a distribution."""
    if not FILE.is_file():
        pytest.skip("the plugin is tested outside of the project's checkout")
    spec = importlib.util.spec_from_file_location("voice_bench_under_test", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def python(folder: Path, *lines: str, status: int = 0) -> Path:
    """A Python of another environment, which prints ``lines`` whatever it is to run."""
    said = folder / "said"
    said.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    file = folder / "python"
    file.write_text(
        f'#!/bin/sh\necho "$@" >"{folder}/asked"\ncat "{said}"\nexit {status}\n', encoding="utf-8"
    )
    file.chmod(0o755)
    return file


def test_the_figures_come_from_the_other_environment(bench: ModuleType, tmp_path: Path) -> None:
    other = python(tmp_path, "a table", json.dumps(FIGURES))
    assert bench.elsewhere("openai-whisper", other) == FIGURES
    asked = (tmp_path / "asked").read_text(encoding="utf-8").split()
    assert asked == [str(FILE), "--json", "--only", "openai-whisper"]


def test_where_there_is_none_it_says_how_to_make_it(bench: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(bench.LeftOut, match="run tools/whisper/install"):
        bench.elsewhere("openai-whisper", tmp_path / "python")


def test_one_that_fails_is_told(bench: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(bench.LeftOut, match="exit 3"):
        bench.elsewhere("openai-whisper", python(tmp_path, "{}", status=3))
    with pytest.raises(bench.LeftOut, match="exit 0"):
        bench.elsewhere("openai-whisper", python(tmp_path))


def test_its_own_reason_is_handed_on(bench: ModuleType, tmp_path: Path) -> None:
    other = python(tmp_path, "openai-whisper    left out: The model is not here.", "{}")
    with pytest.raises(bench.LeftOut, match=r"^The model is not here\.$"):
        bench.elsewhere("openai-whisper", other)


def test_what_is_left_out_is_printed_with_its_reason(
    bench: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if importlib.util.find_spec("whisper") is not None:
        pytest.skip("openai-whisper is in this environment, so no other one is asked")
    monkeypatch.setattr(bench.shutil, "which", lambda name: name)
    monkeypatch.setattr(bench.elsewhere, "__defaults__", (tmp_path / "python",))
    assert bench.figures(["openai-whisper"]) == {}
    said = capsys.readouterr().out
    assert "openai-whisper    left out: neither this environment nor .venv/whisper" in said


def test_words_put_in_left_out_and_changed_count(bench: ModuleType) -> None:
    rate = bench.word_error_rate(["One two, three four."], ["one three for five"])
    assert rate == pytest.approx(3 / 4)


def test_each_voice_has_a_rate_of_its_own(bench: ModuleType) -> None:
    perfect = [text for language in bench.VOICES.values() for text in bench.SENTENCES[language]]
    assert dict(bench._rates(perfect)) == dict.fromkeys(["en-us", "es", "es-419"], 0.0)
    assert bench._rates([*perfect[:-1], ""])["es-419"] > 0.1
