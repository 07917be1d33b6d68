"""The files of a new plugin, from the templates in ``new_plugin_files``."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import PurePosixPath
from string import Template
from typing import Final

from .new_plugin_names import PREFIX, module

_BOTH: Final = {
    "pyproject.toml": "pyproject.toml",
    ".github/workflows/test.yml": "test.yml",
    ".gitignore": "gitignore",
    "CHANGELOG.md": "changelog.md",
    "LICENSE": "license",
    "MODULE/py.typed": "py.typed",
}
_PLUGIN: Final = {
    "README.md": "readme.md",
    "MODULE/__init__.py": "init.py",
    "tests/test_NAME.py": "test.py",
}
_BACKEND: Final = {
    **_PLUGIN,
    "MODULE/backend.py": "backend.py",
    "MODULE/options.py": "options.py",
    "MODULE/wire.py": "wire.py",
}
"""What is written, by the template that it is made from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is to be written. ``core`` is the version of clawdcore that it is made for."""

    name: str
    description: str
    author: str
    backend: bool
    year: int
    core: str


def texts(draft: Draft) -> dict[PurePosixPath, str]:
    """The text of each file by its path in the new folder; the same for the same draft."""
    kind, own = ("backend", _BACKEND) if draft.backend else ("plugin", _PLUGIN)
    templates = {path: f"both/{name}" for path, name in _BOTH.items()}
    templates |= {path: f"{kind}/{name}" for path, name in own.items()}
    words = _words(draft)
    return {
        _placed(path, draft.name): Template(_template(name)).substitute(words)
        for path, name in templates.items()
    }


def _template(name: str) -> str:
    folder = files(__package__).joinpath("new_plugin_files")
    return folder.joinpath(*f"{name}.tmpl".split("/")).read_text(encoding="utf-8")


def _placed(path: str, name: str) -> PurePosixPath:
    own = module(name)
    return PurePosixPath(path.replace("MODULE", own).replace("NAME", own.partition("_")[2]))


def _words(draft: Draft) -> dict[str, str]:
    own = module(draft.name)
    needed = [f"clawdcore{_compatible(draft.core)}", "pydantic>=2.11"]
    tools = ["mypy>=1.17", "pytest>=8.4", "ruff>=0.12"]
    keywords = ["clawdbot", "telegram", "bot"]
    if draft.backend:
        needed += ["httpx>=0.27", "msgspec>=0.19"]
        tools.append("aiohttp>=3.11")
        keywords = ["clawdbot", "llm", "openai"]
    return {
        "name": draft.name,
        "distribution": f"{PREFIX}{draft.name}",
        "module": own,
        "command": own.partition("_")[2],
        "description": draft.description,
        "description_toml": _quoted(draft.description),
        "author": draft.author,
        "author_toml": _author(draft.author),
        "year": str(draft.year),
        "keywords": ", ".join(map(_quoted, keywords)),
        "dependencies": _listed(needed),
        "tools": _listed(tools),
    }


def _listed(packages: list[str]) -> str:
    """The inside of a list of TOML, a line for each."""
    return "\n".join(f"  {_quoted(each)}," for each in sorted(packages))


def _compatible(core: str) -> str:
    """The versions that promise what ``core`` has: up to the next major, or minor below 1.0."""
    major, minor = (int(part) for part in core.split(".")[:2])
    return f">={major}.{minor},<{major + 1}" if major else f">=0.{minor},<0.{minor + 1}"


def _author(author: str) -> str:
    """As ``pyproject.toml`` wants it, with the address where ``Ada <ada@example.org>`` has one."""
    found = re.fullmatch(r"(?P<name>[^<>]+?) *<(?P<email>[^<>@ ]+@[^<>@ ]+)>", author)
    if found is None:
        return f"{{ name = {_quoted(author)} }}"
    return f"{{ name = {_quoted(found['name'])}, email = {_quoted(found['email'])} }}"


def _quoted(text: str) -> str:
    """As a string of TOML; for printable text JSON's are the same."""
    return json.dumps(text, ensure_ascii=False)
