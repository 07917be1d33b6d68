"""What ``clawdbot monitor`` shows, from one look. Pure; at any width, and without colours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from ..admission.ladder import Rung
from ..vitals import Queue
from ..worker.notices import given_up
from .monitor_look import Look, Server

if TYPE_CHECKING:
    from ..config import AlertsConfig
    from ..worker.alerts import Alert

STYLES: Final = {"ok": "green", "degraded": "yellow", "down": "bold red"}
WRONG: Final = "bold red"


def view(
    look: Look, alerts: list[Alert], thresholds: AlertsConfig, url: str, lost: str = ""
) -> Group:
    """A headline, what is wrong, then the numbers.

    ``lost`` says why there is nothing newer than ``look``.
    """
    head = Text.assemble(
        ("ClawdBot", "bold"),
        f" at {_shown(url)}: ",
        (_shown(look.status), STYLES.get(look.status, "")),
        f", up {_duration(look.uptime)}",
    )
    wrong = [Text(f"ALERT  {_sentence(each, look, thresholds)}", style=WRONG) for each in alerts]
    if lost:
        wrong.insert(0, Text(f"LOST   {_shown(lost)} Trying on; the numbers are old.", style=WRONG))
    return Group(head, *wrong, Text(), _numbers(look, {each.kind for each in alerts}))


def _numbers(look: Look, wrong: set[str]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    queue = WRONG if "queue" in wrong else ""
    cpu = WRONG if "cpu" in wrong else ""
    requests = Text.assemble(
        (f"{look.queue_size} wait", queue),
        f", {look.active_requests} run, {look.requests_per_second:.1f}/s",
    )
    machine = Text.assemble(
        (f"cpu {_percent(look.cpu_percent)}", cpu),
        f", memory {_percent(look.memory_percent)}, disk {_percent(look.disk_percent)}",
    )
    _row(table, "requests", requests)
    _row(table, "API calls", Text(_calls(look)))
    _row(table, "messages", Text(_counts(look.messages) or "none yet"))
    _row(table, "under load", Text(_ladder(look), style="yellow" if look.ladder.rung else ""))
    _row(table, "machine", machine)
    for each in look.queues:
        table.add_row()
        _add_queue(table, each, [one for one in look.replicas if one.server == each.server])
    return table


def _add_queue(table: Table, queue: Queue, replicas: Iterable[Server]) -> None:
    speed = queue.tokens_per_second
    table.add_row(
        Text("server", style="dim"), Text(_shown(queue.server), style="bold", overflow="fold")
    )
    _row(
        table,
        "running",
        Text(f"{queue.running}, limit {queue.limit} of at most {queue.ceiling}"),
    )
    waiting = sum(queue.waiting.values())
    _row(table, "waiting", Text(f"{waiting} of {queue.bound}: {_counts(queue.waiting)}"))
    _row(table, "ETA", Text(f"{queue.eta:.1f} s; waits lately {queue.wait:.1f} s"))
    _row(table, "tokens/s", Text("not known yet" if speed is None else f"{speed:.1f}"))
    _row(table, "refused", Text(_counts(queue.refused, zeros=False) or "none"))
    for each in replicas:
        state = ("up", "green") if each.up else ("DOWN", WRONG)
        answers = each.response_time
        rest = "" if answers is None else f", answers in {answers:.2f} s"
        rest += f", {each.running} run, {each.waiting} wait"
        _row(table, "replica", Text.assemble(f"{_shown(each.name)} ", state, rest))


def _row(table: Table, name: str, value: Text) -> None:
    table.add_row(Text(name, style="dim"), value)


def _calls(look: Look) -> str:
    if look.success_rate is None:
        return "none in the last minute"
    time = look.mean_response_time
    rest = "" if time is None else f", in {time:.2f} s on average"
    return f"{look.success_rate * 100:.1f} % answered{rest}"


def _ladder(look: Look) -> str:
    if not look.ladder.rung:
        return "everything works as usual"
    try:
        rung = Rung(look.ladder.rung)
    except ValueError:  # the bot is of a later version
        return f"{look.ladder.rung}, {_shown(look.ladder.name)}"
    return given_up(rung, "en").removesuffix(".")


def _sentence(alert: Alert, look: Look, thresholds: AlertsConfig) -> str:
    if alert.kind == "queue":
        return f"{look.queue_size} requests wait, more than {thresholds.queue}"
    if alert.kind == "cpu":
        return f"cpu {_percent(look.cpu_percent)}, more than {thresholds.cpu} %"
    return f"replica {_shown(alert.subject)} is down"


def _counts(counts: Mapping[str, int], *, zeros: bool = True) -> str:
    return ", ".join(
        f"{_shown(name).replace('_', ' ')} {count}"
        for name, count in counts.items()
        if count or zeros
    )


def _percent(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.0f} %"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 24:
        return f"{hours // 24} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _shown(text: str) -> str:
    """``text`` without what would steer a terminal: it may come from any server."""
    return "".join(c if c.isprintable() else "?" for c in text)
