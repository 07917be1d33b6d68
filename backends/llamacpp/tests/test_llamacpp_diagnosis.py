"""What doctor says of the embedded model."""

from __future__ import annotations

from pathlib import Path

import pytest

from clawdbot_llamacpp import LlamaCppOptions
from clawdbot_llamacpp.diagnosis import diagnose
from clawdbot_llamacpp.machine import Machine
from clawdcore import ModelNotFound

ROOMY = Machine(cores=2, memory=8_000_000_000)


def options(folder: Path, model: str = "qwen2.5-1.5b-instruct") -> LlamaCppOptions:
    return LlamaCppOptions.model_validate({"model": model, "cacheDir": str(folder)})


def test_a_model_that_is_not_here_says_what_the_start_downloads(tmp_path: Path) -> None:
    (status, message, fix), memory = diagnose(options(tmp_path), ROOMY)
    assert status == "WARN"
    assert "1,117 MB" in message
    assert str(tmp_path / "models") in fix
    assert memory[0] == "OK"


def test_a_file_of_one_s_own(tmp_path: Path) -> None:
    file = tmp_path / "own.gguf"
    assert diagnose(options(tmp_path, str(file)), ROOMY)[0][0] == "FAIL"
    file.write_bytes(b"x" * 1000)
    assert [line[0] for line in diagnose(options(tmp_path, str(file)), ROOMY)] == ["OK", "OK"]


def test_too_little_memory_fails_and_names_a_smaller_model(tmp_path: Path) -> None:
    status, message, fix = diagnose(options(tmp_path), Machine(cores=2, memory=900_000_000))[1]
    assert status == "FAIL"
    assert "900 MB" in message
    assert "qwen2.5-0.5b-instruct" in fix


def test_unknown_memory_and_unknown_model(tmp_path: Path) -> None:
    assert diagnose(options(tmp_path), Machine(cores=2, memory=None))[1][0] == "WARN"
    with pytest.raises(ModelNotFound):
        diagnose(options(tmp_path, "qwen9"), ROOMY)
