"""What is said about the bot itself, and who may have it do what."""

from __future__ import annotations

from datetime import timedelta

from babel.dates import format_timedelta
from babel.numbers import format_decimal

from clawdcore import Held, Status

from .texts import locale_of, words


def status_text(status: Status, language: str, *, owner: bool) -> str:
    """How the bot does, a line each; which models it asks, and what rests, for its owner."""
    _, locale = words(language), locale_of(language)

    def number(value: float) -> str:
        return format_decimal(value, locale=locale)

    def span(seconds: float) -> str:
        return format_timedelta(timedelta(seconds=round(seconds)), threshold=1.1, locale=locale)

    lines = [_("I am resting.") if status.paused else _("I am working.")]
    lines.append(
        _("Messages: {running} at work, {waiting} waiting").format(
            running=number(status.running), waiting=number(status.waiting)
        )
    )
    if status.wait > 0:
        lines.append(_("Waiting time now: {time}").format(time=span(status.wait)))
    if status.rung:
        lines.append(_("I am very busy, so that answers are simpler than usual."))
    for name, seconds in status.plugins if owner else ():
        lines.append(_("{name} rests for {time}").format(name=name, time=span(seconds)))
    for reference, up in status.models if owner else ():
        line = _("Model {name} answers") if up else _("Model {name} can't be reached")
        lines.append(line.format(name=reference))
    lines.append(_("Running for {time}").format(time=span(status.uptime)))
    return "\n".join(lines)


def held_text(start: str, held: tuple[Held, ...], nothing: str) -> str:
    """``start`` and what each plugin says, a line each; ``nothing`` where none says anything."""
    told = [f"• {one.plugin}: {one.words}" for one in held if one.words]
    return "\n".join([start, *told]) if told else nothing
