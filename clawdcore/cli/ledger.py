"""``clawdbot ledger show``: how far the updates are, by numbers and ids."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..config import Config
    from ..edge.ledger import Summary

UNITS = ("bytes", "KiB", "MiB", "GiB")


@click.group("ledger")
def command() -> None:
    """Show what the bot keeps of updates: ids, states and times, never content."""


@command.command("show")
@click.option("-c", "--config", "path", type=click.Path(path_type=Path), help="The file to load.")
@click.option("--open", "show_open", is_flag=True, help="List the updates that are not done.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many of them, oldest first.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def show(path: Path | None, show_open: bool, limit: int, as_json: bool) -> None:
    """Print what the ledger counts; the bot may be running."""
    import msgspec

    from ..config import load
    from ..edge.ledger import LEDGER_FILE, read_summary

    config = load(path)
    files = _ledgers(config)
    there = [file for file in files if file.is_file()]
    summaries = [read_summary(file, rows=limit if show_open else 0) for file in there]
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(summaries)))
        return
    if not summaries:
        place = files[0] if files else config.workspace_path / "BOT_ID" / LEDGER_FILE
        click.echo(f"There is no ledger yet; the first start makes it: {place}")
    for number, summary in enumerate(summaries):
        if number:
            click.echo()
        for line in _lines(summary):
            click.echo(line)


def folder_of(config: Config) -> Path | None:
    """The folder of the bot whose token is configured: its id stands before the colon."""
    token = config.channels.telegram.bot_token
    number = token.get_secret_value().partition(":")[0] if token is not None else ""
    # Anything else is no token of Telegram's, and must not become a path.
    return config.state_path(int(number)) if re.fullmatch(r"[0-9]{1,19}", number) else None


def _ledgers(config: Config) -> list[Path]:
    """The bot's file; without a token, those of every bot in the workspace."""
    from ..edge.ledger import LEDGER_FILE

    folder = folder_of(config)
    if folder is not None:
        return [folder / LEDGER_FILE]
    return sorted(config.workspace_path.glob(f"*/{LEDGER_FILE}"))


def _lines(summary: Summary) -> Iterator[str]:
    yield f"{summary.path}: {_size(summary.size)}"
    yield f"updates: {_counts(summary.states)}"
    if summary.outcomes:
        yield f"outcomes, of the last 25 hours: {_counts(summary.outcomes)}"
    if summary.oldest_open is not None:
        yield f"oldest open: received {_time(summary.oldest_open)}"
    yield f"deletions owed: {summary.deletions}{_next(summary.next_deletion)}"
    yield f"plans: {summary.plans}{_next(summary.next_plan)}"
    for update in summary.open:
        topic = f" topic {update.topic}" if update.topic else ""
        yield (
            f"update {update.id}: {update.state}, received {_time(update.at)}, "
            f"chat {update.chat}{topic} message {update.message} user {update.user}, "
            f"starts {update.starts}"
        )


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _next(due: float | None) -> str:
    return "" if due is None else f", the next is due {_time(due)}"


def _time(seconds: float) -> str:
    """Local time with its offset from UTC."""
    try:
        return datetime.fromtimestamp(seconds).astimezone().isoformat(" ", "seconds")
    except (ValueError, OverflowError, OSError):
        return f"at {seconds:g}"  # beyond what a calendar holds


def _size(size: float) -> str:
    for unit in UNITS[:-1]:
        if size < 1024:
            return f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:.3g} {UNITS[-1]}"
