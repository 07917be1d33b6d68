"""``clawdbot doctor``: what keeps the bot from working, and how to mend it."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from .checks.finding import Finding

COLOURS = {"OK": "green", "WARN": "yellow", "FAIL": "red"}


@click.command("doctor")
@click.option(
    "-c",
    "--config",
    "path",
    type=click.Path(path_type=Path),
    help="The configuration; else clawdbot.json here or in the user's folder, else defaults.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list, for programs.")
@click.option(
    "--listen",
    type=click.FloatRange(min=0, max=120),
    default=0.0,
    metavar="SECONDS",
    help="Poll so long for a second bot with this token; stop your own meanwhile.",
)
@click.pass_context
def command(ctx: click.Context, path: Path | None, as_json: bool, listen: float) -> None:
    """Check everything the bot needs; changes nothing. Exit code 1 if something fails."""
    from .doctor_rounds import examine

    found: list[tuple[str, Finding]] = []

    def tell(check: str, finding: Finding) -> None:
        found.append((check, finding))
        if not as_json:
            click.echo(line(check, finding, colour=sys.stdout.isatty()))

    with _quiet(ctx):
        asyncio.run(examine(path, tell, listen=listen))
    if as_json:
        listed = [
            {"check": check, "status": f.status.value, "message": f.message, "fix": f.fix}
            for check, f in found
        ]
        click.echo(json.dumps(listed, indent=2, ensure_ascii=False))
    ctx.exit(1 if any(finding.status == "FAIL" for _, finding in found) else 0)


def line(check: str, finding: Finding, *, colour: bool) -> str:
    """A finding as one line."""
    status = f"{finding.status.value:<4}"
    if colour:
        status = click.style(status, fg=COLOURS[finding.status.value])
    return f"{status}  {check:<10}  {finding.message} {finding.fix}".rstrip()


@contextmanager
def _quiet(ctx: click.Context) -> Iterator[None]:
    """Within the body our parts log nothing: the checks find it, and tell it better."""
    log = logging.getLogger("clawdcore")
    before = log.level
    if not (ctx.obj and ctx.obj["debug"]):
        log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)
