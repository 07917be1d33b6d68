"""What the start of a worker came to, in lines for whoever runs the bot."""

from __future__ import annotations

from ..broker import Bot, Ready
from ..errors import ClawdBotError, ModelFileMissing
from ..privacy import describe
from .app import Report


def ready(report: Report, bot: Bot, *, exclusive: bool, note: str = "") -> Ready:
    """The record with which a worker answers the edge.

    ``note`` is one more line. Its ``failure`` is set where no model at all can be had
    without the user's help.
    """
    notes = [note] if note else []
    failure = ""
    for name, error in report.disabled.items():
        words = str(error) if isinstance(error, ClawdBotError) else describe(error)
        notes.append(f"plugin {name} is disabled: {words}")
    for name, problem in report.models.items():
        if isinstance(problem, ModelFileMissing):
            failure = failure or str(problem)
        else:
            notes.append(f"degraded: {name} did not start: {problem}")
    if report.claim_code:
        notes.append(
            f"to become its owner, send @{bot.username} in private: /start {report.claim_code}"
        )
    disabled = tuple(report.disabled)
    return Ready(tuple(notes), failure, exclusive, disabled, report.homes)
