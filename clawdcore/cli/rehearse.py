"""``clawdbot rehearse``: a day's traffic on the owner's own configuration, before the day comes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from ..config import Config
    from .rehearse_pattern import Line, Profile
    from .rehearse_play import Rehearsal
    from .rehearse_report import Report

MINUTES: Final = 3.0
INTERRUPTED: Final = 130
"""The exit code after Ctrl-C, as of all commands."""


@click.command("rehearse")
@click.option(
    "-c",
    "--config",
    "path",
    type=click.Path(path_type=Path),
    help="The configuration to rehearse with; found as by `clawdbot run`.",
)
@click.option(
    "--profile",
    type=click.Choice(["quiet", "busy", "breaking"]),
    help="8, 40 or 120 messages a minute; quiet without the option.",
)
@click.option(
    "--at-once",
    type=click.Choice(["10", "50", "100"]),
    help="So many messages in one moment, in place of a profile.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, max=60, min_open=True),
    help="How long messages come; 3 without the option.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=1, max=3600),
    help="The same in seconds, for a short one.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Another pattern.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as one line of JSON.")
@click.option("-y", "--yes", is_flag=True, help="Begin without asking, for scripts.")
@click.pass_context
def command(
    ctx: click.Context,
    path: Path | None,
    profile: str | None,
    at_once: str | None,
    minutes: float | None,
    seconds: float | None,
    seed: int,
    as_json: bool,
    yes: bool,
) -> None:
    """Play many people to your bot, and say which setting to change.

    The models are asked for real. Telegram is not: a local server plays it.
    """
    from ..config import load
    from .demo_room import USERNAME
    from .rehearse_pattern import BURSTS, PROFILES, schedule
    from .rehearse_setup import has_translate

    if minutes is not None and seconds is not None:
        raise click.UsageError("--minutes and --seconds say the same. Give one of them.")
    if at_once is not None and (profile, minutes, seconds) != (None, None, None):
        raise click.UsageError(
            "--at-once is a moment: leave --profile, --minutes and --seconds out."
        )
    played = BURSTS[int(at_once)] if at_once is not None else PROFILES[profile or "quiet"]
    length = seconds if seconds is not None else 60 * (MINUTES if minutes is None else minutes)
    config = load(path)
    translate = has_translate(config)
    lines = schedule(played, length, seed, username=USERNAME, translate=translate)
    if not _may_begin(config, played, lines, length, yes):
        ctx.exit(1)
    report = _rehearse(config, played, lines, bool(ctx.obj and ctx.obj["debug"]))
    if report is None:
        ctx.exit(1)
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(report.as_json()))
    else:
        click.echo("\n".join(report.lines()))
    ctx.exit(INTERRUPTED if report.interrupted else 0 if report.met else 1)


def _may_begin(
    config: Config, profile: Profile, lines: list[Line], seconds: float, yes: bool
) -> bool:
    """Say what will happen, and ask."""
    asks = sum(line.model for line in lines)
    when = "at once" if profile.at_once else f"in {seconds:g} s"
    _tell(
        f"{profile.name}: {len(lines)} messages {when}. About {asks} of them ask "
        f"{config.agents.defaults.model.primary} for real, as people would."
    )
    if yes:
        return True
    if not sys.stdin.isatty():
        raise click.UsageError("nobody is there to be asked. Give --yes to begin.")
    return click.confirm("Begin?", default=True, err=True)


def _rehearse(config: Config, profile: Profile, lines: list[Line], debug: bool) -> Report | None:
    """Play, and report; None where the bot did not start, which it has told itself."""
    from .demo_processes import Processes
    from .rehearse_play import Rehearsal
    from .rehearse_setup import free_port, settings_for

    with Processes(debug=debug) as processes:
        _tell("starting a local Telegram server and the bot")
        port = free_port()
        control = processes.start_server(limits=True)
        settings = settings_for(config, port)
        if not processes.start_bot(settings, control.root):
            return None
        rehearsal = Rehearsal(
            control,
            lines,
            port=port,
            total=settings.timeout,
            trouble=processes.trouble,
            tell=_tell,
        )
        interrupted = False
        try:
            rehearsal.run()
        except KeyboardInterrupt:
            interrupted = True
        return _report(config, profile, rehearsal, interrupted)


def _report(config: Config, profile: Profile, rehearsal: Rehearsal, interrupted: bool) -> Report:
    from .rehearse_advice import advise
    from .rehearse_pressure import busiest, most_rung, pressures
    from .rehearse_report import Report
    from .rehearse_setup import present

    result = rehearsal.result()
    pressure = busiest(pressures(rehearsal.looks))
    return Report(
        profile=profile.name,
        goal=profile.goal,
        result=result,
        pressure=pressure,
        rung=most_rung(rehearsal.looks),
        advice=advise(result, profile.goal, pressure, present(config)),
        interrupted=interrupted,
    )


def _tell(words: str) -> None:
    click.echo(f"clawdbot: {words}", err=True)
