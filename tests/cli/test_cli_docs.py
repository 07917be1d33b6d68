"""docs/cli.md names every subcommand and option, and none that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from clawdcore.cli import cli
from clawdcore.cli.checks.finding import Finding
from clawdcore.cli.doctor_rounds import examine

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"
TEXT = DOCS.read_text(encoding="utf-8")


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=name)
        for each in command.list_commands(context):
            found = command.get_command(context, each)
            assert found is not None
            yield from commands(found, f"{name} {each}")


ALL = dict(commands(cli, "clawdbot"))


def section(name: str) -> str:
    """What stands below the command's heading, up to the next one."""
    found = re.search(rf"^##+ `{re.escape(name)}`$(.*?)(?=^##|\Z)", TEXT, re.M | re.S)
    assert found, f"{DOCS.name} has no heading ## `{name}`"
    return found[1]


def options(name: str) -> set[str]:
    """The options that the section's table lists."""
    rows = re.findall(r"^\| (`-.*?) \|", section(name), re.M)
    return {option for row in rows for option in re.findall(r"`(-[^`]+)`", row)}


@pytest.mark.parametrize("name", ALL)
def test_every_option_is_documented_and_every_documented_one_exists(name: str) -> None:
    declared = {
        option
        for parameter in ALL[name].params
        if isinstance(parameter, click.Option)
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    if name == "clawdbot":
        declared |= {"-h", "--help"}
    assert options(name) == declared


def test_every_documented_command_exists() -> None:
    assert set(re.findall(r"^##+ `(clawdbot.*?)`$", TEXT, re.M)) == set(ALL)


def test_every_command_and_option_has_a_help_line() -> None:
    for name, command in ALL.items():
        assert command.get_short_help_str(), name
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{name} {parameter.opts}"


def test_every_check_of_the_doctor_is_documented(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    from clawdcore.cli import doctor_rounds
    from clawdcore.cli.checks import finding as checks

    made: list[str] = ["python", "config"]

    async def only_names(given: dict[str, checks.Check], tell: object, *, limit: float) -> None:
        made.extend(given)

    monkeypatch.setattr(doctor_rounds, "run_checks", only_names)
    file = tmp_path / "clawdbot.json"
    file.write_text('{ channels: { telegram: { botToken: "1:x" } } }')

    def told(check: str, finding: Finding) -> None:
        assert check in made

    asyncio.run(examine(file, told))
    rows = re.findall(r"^\| (`[a-z].*?) \|", section("clawdbot doctor"), re.M)
    assert sorted(name for row in rows for name in re.findall(r"`(\w+)`", row)) == sorted(made)
