"""Check what was installed of one distribution against its sources.

Usage: python -I tools/check_installed.py FOLDER

FOLDER holds the distribution's ``pyproject.toml``. The running environment must
have every file of its package that git tracks and no other; translations'
sources may be left out. Its module must import.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import import_module
from importlib.metadata import distribution
from pathlib import Path

SOURCE_ONLY = {".po", ".pot"}


def wrong_files(name: str, package: str, folder: Path) -> list[str]:
    """What is missing from the installed distribution, and what is too much."""
    tracked = subprocess.run(
        ["git", "ls-files", "-z", package], cwd=folder, check=True, capture_output=True, text=True
    )
    expected = {path for path in tracked.stdout.split("\0") if path}
    installed = {
        file.as_posix()
        for file in distribution(name).files or []
        if "__pycache__" not in file.parts
        and not file.parts[0].endswith(".dist-info")
        and file.parts[0] != ".."
    }
    missing = {path for path in expected - installed if Path(path).suffix not in SOURCE_ONLY}
    return [
        *(f"not installed: {path}" for path in sorted(missing)),
        *(f"installed, but not of the package: {path}" for path in sorted(installed - expected)),
    ]


def main() -> int:
    """Print what is wrong, one line each; the exit status says whether anything is."""
    folder = Path(sys.argv[1]).resolve()
    settings = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    name = settings["project"]["name"]
    (package,) = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    import_module(package)
    problems = wrong_files(name, package, folder)
    for problem in problems:
        print(f"{name}: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
