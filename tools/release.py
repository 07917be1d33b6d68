"""Make the files say a new version: `make release VERSION=0.2.0`.

Every distribution of the workspace gets it, and asks for the core of the same series;
the fragments in changelog/ become a section of CHANGELOG.md. Nothing is committed,
tagged or published: what comes next is printed.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:(a|b|rc)(\d+))?")
CORE = "clawdcore/__init__.py"


def main(arguments: list[str]) -> int:
    """Returns the exit code: 0, or 1 with a line that says what is wrong."""
    if len(arguments) != 1:
        print("make release: give one version: make release VERSION=0.2.0", file=sys.stderr)
        return 1
    try:
        release(arguments[0])
    except (ValueError, subprocess.CalledProcessError) as error:
        print(f"make release: {error}", file=sys.stderr)
        return 1
    return 0


def release(new: str) -> None:
    """Write ``new`` everywhere, and the changelog.

    Raises:
        ValueError: this can't be released, and nothing is changed.
    """
    old = re.search(r'^__version__ = "(.+)"$', text_of(CORE), re.MULTILINE)
    if old is None:
        raise ValueError(f'{CORE} has no line __version__ = "…".')
    released = f"## {old[1]} (" in text_of("CHANGELOG.md")
    if order(new) < order(old[1]) or (released and new == old[1]):
        raise ValueError(f"{new} must come after {old[1]}, which {CORE} says.")
    if not [file for file in (ROOT / "changelog").glob("*.md") if file.name != "README.md"]:
        raise ValueError("changelog/ has no fragment, so nobody would notice this release.")
    changed = {CORE: text_of(CORE).replace(old[0], f'__version__ = "{new}"')}
    for file in [*ROOT.glob("plugins/*/pyproject.toml"), *ROOT.glob("backends/*/pyproject.toml")]:
        name = str(file.relative_to(ROOT))
        changed[name] = renewed(name, text_of(name), new)
    for name, text in changed.items():
        (ROOT / name).write_text(text, encoding="utf-8")
    towncrier = [sys.executable, "-m", "towncrier", "build", "--yes", "--version", new]
    subprocess.run(towncrier, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    print(
        f"All {len(changed)} distributions say {new}. Read CHANGELOG.md and `git diff`, then:\n"
        f"  make test && git commit -am 'Release {new}' && git tag v{new}\n"
        f"  git push origin main v{new}      # .github/workflows/release.yml builds and publishes"
    )


def renewed(name: str, text: str, new: str) -> str:
    """``pyproject.toml`` with the version, and the core's series that it needs.

    Raises:
        ValueError: it does not have the lines that are to change.
    """
    text, versions = re.subn(r'(?m)^version = ".*"$', f'version = "{new}"', text)
    text, cores = re.subn(r'"clawdcore\b[^"\[\]]*"', f'"clawdcore{series(new)}"', text)
    if (versions, cores) != (1, 1):
        raise ValueError(f"{name} must have one version and one dependency on clawdcore.")
    return text


def series(version: str) -> str:
    """The versions of the core that a plugin of this version works with (docs/api.md)."""
    major, minor, _, stage, number = order(version)
    first = f"{major}.{minor}" if stage == "z" else f"{major}.{minor}.0{stage}{number}"
    return f">={first},<{major + 1}" if major else f">={first},<0.{minor + 1}"


def order(version: str) -> tuple[int, int, int, str, int]:
    """What sorts as versions do.

    Raises:
        ValueError: it is none.
    """
    found = VERSION.fullmatch(version)
    if found is None:
        raise ValueError(f"{version!r} is no version like 0.2.0 or 0.2.0rc1.")
    return int(found[1]), int(found[2]), int(found[3]), found[4] or "z", int(found[5] or 0)


def text_of(name: str) -> str:
    """A file of the project."""
    return (ROOT / name).read_text(encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
