"""bench/quality.py over its parts: figures together, and what is missing said."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parents[2] / "bench"


def quality(folder: Path, *arguments: str) -> tuple[str, dict[str, object]]:
    (folder / "quality.py").write_text((BENCH / "quality.py").read_text())
    done = subprocess.run(
        [sys.executable, str(folder / "quality.py"), *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout, json.loads(done.stdout.splitlines()[-1])


def part(folder: Path, name: str, body: str) -> None:
    (folder / "quality_parts").mkdir(exist_ok=True)
    (folder / "quality_parts" / f"{name}.py").write_text(body)


def test_the_figures_of_all_parts_are_one_line(tmp_path: Path) -> None:
    part(tmp_path, "one", "def figures():\n    print('a table')\n    return {'cer_one': 0.5}\n")
    part(tmp_path, "two", "def figures():\n    return {'wer_two': 0.25}\n")
    said, found = quality(tmp_path)
    assert found == {"cer_one": 0.5, "wer_two": 0.25, "skipped": {}}
    assert "==== one\na table\n==== two\n" in said
    assert quality(tmp_path, "--only", "two")[1] == {"wer_two": 0.25, "skipped": {}}


def test_a_part_that_cannot_run_says_why(tmp_path: Path) -> None:
    part(tmp_path, "one", "import nothing_of_this_name\n")
    part(tmp_path, "two", "def figures():\n    return {'wer_two': 0.25}\n")
    said, found = quality(tmp_path)
    assert "SKIPPED: nothing_of_this_name is not installed here" in said
    assert found["wer_two"] == 0.25
    assert found["skipped"] == {"one": "nothing_of_this_name is not installed here"}
