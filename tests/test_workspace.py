"""The workspace's rules that no linter knows: packaging, imports across distributions, files."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import clawdcore

ROOT = Path(__file__).resolve().parents[1]
HEAVY = re.compile(r"^(torch|vllm|triton|nvidia-[\w-]+)\b", re.IGNORECASE)
PART_OF = {"annotated-types": "pydantic", "pydantic-core": "pydantic"}
"""Distributions that another one brings by contract and whose names it hands out."""
NAMED = {"PIL": "pillow"}
"""Distributions of modules that have another name and may not be installed here."""


@cache
def files() -> list[Path]:
    """The files of the checkout that git tracks or would add, relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [Path(name) for name in sorted(listed.stdout.split("\0")) if (ROOT / name).is_file()]


def folders() -> list[Path]:
    """The folders of the plugins and backends."""
    found = {file.parents[-3] for file in files() if file.parts[0] in {"plugins", "backends"}}
    return sorted(found - {Path("plugins"), Path("backends")})


def pyproject(folder: Path) -> dict[str, Any]:
    return tomllib.loads((ROOT / folder / "pyproject.toml").read_text(encoding="utf-8"))


def module_of(folder: Path) -> str:
    return "clawdcore" if folder == Path() else f"clawdbot_{folder.name}"


def imports(file: Path) -> Iterator[tuple[int, str, list[str]]]:
    """Each absolute import of a file: its line, the module, the names taken from it."""
    for node in ast.walk(ast.parse((ROOT / file).read_bytes(), str(file))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.lineno, node.module, [alias.name for alias in node.names]


def sources(folder: Path, *parts: str) -> list[Path]:
    inside = folder.joinpath(*parts)
    return [file for file in files() if file.suffix == ".py" and inside in file.parents]


def normalized(requirement: str) -> str:
    name = re.match(r"[\w.-]+", requirement)
    assert name, requirement
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def test_constraints_pin_versions_and_name_no_host() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert lines
    for line in lines:
        assert re.fullmatch(r"[A-Za-z0-9][\w.-]*==[\w.+!]+( ; [^:/@]+)?", line), line
        assert not HEAVY.match(line), f"{line}: heavy things are extras, never installed by setup"


def test_every_distribution_has_what_its_readers_and_users_expect() -> None:
    for folder in folders():
        assert (ROOT / folder / "pyproject.toml").is_file(), f"{folder} has no pyproject.toml"
        settings = pyproject(folder)
        project, module = settings["project"], module_of(folder)
        assert project["name"] == f"clawdbot-{folder.name}"
        points = project["entry-points"]["clawdbot"]
        assert points[folder.name].partition(":")[0].partition(".")[0] == module
        assert "clawdcore" in {normalized(name) for name in project["dependencies"]}
        assert not [name for name in project["dependencies"] if HEAVY.match(name)], folder
        assert (ROOT / folder / "README.md").read_text(encoding="utf-8").startswith("# ")
        assert (ROOT / folder / module / "__init__.py").is_file()
        assert (ROOT / folder / module / "py.typed").is_file()
        assert list((ROOT / folder / "tests").glob("test_*.py")), f"{folder} has no tests"


def test_pytest_does_the_same_from_the_root_and_inside_a_distribution() -> None:
    ours = pyproject(Path())["tool"]["pytest"]["ini_options"]
    for folder in folders():
        theirs = pyproject(folder)["tool"]["pytest"]["ini_options"]
        assert {**theirs, "testpaths": None} == {**ours, "testpaths": None}, folder


def test_plugins_import_public_names_and_never_each_other() -> None:
    wrong = []
    for folder in folders():
        for file in sources(folder):
            own = {"clawdcore", module_of(folder)}
            in_tests = file.relative_to(folder).parts[0] == "tests"
            for line, module, names in imports(file):
                top = module.partition(".")[0]
                public = module == "clawdcore" and set(names) <= set(clawdcore.__all__)
                testing = in_tests and module.startswith("clawdcore.testing")
                if top.startswith("clawdbot_") and top not in own:
                    wrong.append(f"{file}:{line} imports another plugin, {module}")
                elif top == "clawdcore" and not (public or testing):
                    wrong.append(f"{file}:{line} imports what clawdcore does not promise: {module}")
    assert not wrong, "\n".join(wrong)


def test_the_core_imports_no_plugin() -> None:
    wrong = [
        f"{file}:{line} imports {module}"
        for file in sources(Path("clawdcore"))
        for line, module, _ in imports(file)
        if module.startswith("clawdbot_")
    ]
    assert not wrong, "\n".join(wrong)


def test_the_cores_tests_can_be_collected_where_the_core_is_alone() -> None:
    wrong = []
    for file in sources(Path("tests")):
        for node in ast.parse((ROOT / file).read_bytes(), str(file)).body:
            modules = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [node.module or ""]
            wrong += [
                f"{file}:{node.lineno} imports {module}: use pytest.importorskip, with a reason"
                for module in modules
                if module.startswith("clawdbot_")
            ]
    assert not wrong, "\n".join(wrong)


FOR_OTHERS = {"onnxruntime", "sniffio"}
"""What a dependency of ours looks for and doesn't require: see the pyproject.toml of each."""


def test_dependencies_are_what_the_code_imports() -> None:
    providers = packages_distributions()
    for folder in (Path(), *folders()):
        project, package = pyproject(folder)["project"], module_of(folder)
        extras = project.get("optional-dependencies", {}).values()
        required = {normalized(name) for name in project["dependencies"]}
        optional = {normalized(name) for names in extras for name in names}
        used, text = {"clawdcore"}, ""
        for file in sources(folder, package):
            text += (ROOT / file).read_text(encoding="utf-8")
            for line, module, _ in imports(file):
                top = module.partition(".")[0]
                if top in sys.stdlib_module_names or top == package or _for_pytest(file, top):
                    continue
                names = {normalized(name) for name in providers.get(top, [NAMED.get(top, top)])}
                names = {PART_OF.get(name, name) for name in names}
                assert names & (required | optional), f"{file}:{line}: {top} is not declared"
                used |= names
        for name in required - used - FOR_OTHERS:
            # A program that is started (`-m pip`) is used without an import.
            assert f'"{name}"' in text, f"{folder / 'pyproject.toml'}: nothing imports {name}"


def _for_pytest(file: Path, module: str) -> bool:
    """The pytest plugin is imported by pytest alone, which is therefore there."""
    return module in {"pytest", "_pytest"} and "testing" in file.parts


def test_no_file_names_this_machine_or_where_packages_came_from() -> None:
    # In two pieces each, so that this file does not name them.
    registries = ["pypi" + ".org", "files." + "pythonhosted", "registry." + "npmjs"]
    pattern = re.compile(
        r"(?:file://|(?<![\w.:/-]))/(?:root|work|home/[a-z][\w-]*|Users/[A-Za-z][\w-]*)/"
        "|" + "|".join(map(re.escape, registries))
    )
    wrong = []
    for file in files():
        raw = (ROOT / file).read_bytes()
        if b"\0" in raw:
            continue
        for number, line in enumerate(raw.decode("utf-8").splitlines(), 1):
            if found := pattern.search(line):
                wrong.append(f"{file}:{number} names {found[0]}")
    assert not wrong, "\n".join(wrong)


def test_help_appears_without_importing_servers_or_telegram() -> None:
    heavy = "aiohttp", "pydantic", "telegram"
    code = (
        "import sys; from clawdcore.cli import main\n"
        "try: main(['--help'])\n"
        f"finally: print('imported:', *[name for name in {heavy} if name in sys.modules])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=ROOT
    )
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("Usage: clawdbot")
    assert shown.stdout.splitlines()[-1] == "imported:"


def test_every_make_target_is_described() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^\.PHONY: (.+)$", text, re.MULTILINE)
    printed = subprocess.run(["make"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert len(targets) > 1
    assert re.findall(r"^make (\S+) +\w.*$", printed, re.MULTILINE) == targets


def test_changelog_fragments_are_sentences_under_a_known_type() -> None:
    types = {kind["directory"] for kind in pyproject(Path())["tool"]["towncrier"]["type"]}
    for file in files():
        if file.parts[0] == "changelog" and file.name != "README.md":
            name = re.fullmatch(r"(?:\d+|\+[a-z0-9-]+)\.([a-z]+)(?:\.\d+)?\.md", file.name)
            assert name, f"{file}: see changelog/README.md for its name"
            assert name[1] in types, f"{file}: no such type; one of {sorted(types)}"
            text = (ROOT / file).read_text(encoding="utf-8").strip()
            assert re.fullmatch(r"[A-Z`*].*[.!]", text, re.DOTALL), f"{file}: whole sentences"
