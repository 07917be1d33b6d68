"""The picture of ``clawdbot monitor``, as text at several widths."""

from __future__ import annotations

import io
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from clawdcore.backend import Replica
from clawdcore.cli.monitor_look import Look, alerts_in, decoded, with_alerts
from clawdcore.cli.monitor_view import view
from clawdcore.config import AlertsConfig
from clawdcore.gateway.machine import Used
from clawdcore.gateway.status import Lately, numbers
from clawdcore.vitals import Queue, Vitals

URL = "http://127.0.0.1:18780"
CALM = Queue(
    server="main",
    limit=4,
    ceiling=32,
    bound=128,
    running=2,
    waiting={"control": 0, "direct": 1, "group": 0, "media": 0},
    accepted=9,
    finished=6,
    refused={"full": 0, "late": 0},
    eta=1.26,
    wait=0.4,
    tokens_per_second=31.54,
    replicas=(Replica(name="127.0.0.1:8000", up=True, running=2, response_time=0.204),),
)
BUSY = msgspec.structs.replace(
    CALM,
    server="big-machine-in-the-cellar",
    waiting={"control": 1, "direct": 12, "group": 40, "media": 9},
    refused={"full": 31, "too_late": 4},
    tokens_per_second=None,
    replicas=(
        Replica(name="10.0.0.7:8000", up=True, running=2, waiting=1, response_time=1.5),
        Replica(name="10.0.0.8:8000", up=False),
    ),
)


def look(*queues: Queue, cpu: float = 34.4, **more: Any) -> Look:
    """What the gateway would say, over its own JSON."""
    vitals = Vitals(uptime=11_527.3, queues=queues, messages={"answered": 70, "failed": 2}, **more)
    lately = Lately()
    lately.see(0, vitals)
    lately.answered(1, 200, 1.5)
    lately.answered(1, 200, 0.5)
    lately.answered(2, 503, 9.0)
    said = numbers(vitals, lately, Used(cpu=cpu, memory=61.0, disk=12.2), 3.0)
    return decoded(msgspec.json.encode(said))


def drawn(
    seen: Look, width: int, lost: str = "", thresholds: AlertsConfig | None = None, **options: Any
) -> str:
    limits = thresholds or AlertsConfig()
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False, _environ={}, **options)
    console.print(view(seen, alerts_in(seen, limits), limits, URL, lost))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


TROUBLE = look(BUSY, CALM, cpu=91.0, rung=3, rung_name="no_media")
AT_60 = """
ClawdBot at http://127.0.0.1:18780: degraded, up 3 h 12 min
ALERT  63 requests wait, more than 50
ALERT  cpu 91 %, more than 80 %
ALERT  replica big-machine-in-the-cellar 10.0.0.8:8000 is
down

requests    63 wait, 4 run, 0.0/s
API calls   66.7 % answered, in 1.00 s on average
messages    answered 70, failed 2
under load  pictures and voice messages in groups are turned
            away
machine     cpu 91 %, memory 61 %, disk 12 %

server      big-machine-in-the-cellar
running     2, limit 4 of at most 32
waiting     62 of 128: control 1, direct 12, group 40, media
            9
ETA         1.3 s; waits lately 0.4 s
tokens/s    not known yet
refused     full 31, too late 4
replica     10.0.0.7:8000 up, answers in 1.50 s, 2 run, 1
            wait
replica     10.0.0.8:8000 DOWN, 0 run, 0 wait

server      main
running     2, limit 4 of at most 32
waiting     1 of 128: control 0, direct 1, group 0, media 0
ETA         1.3 s; waits lately 0.4 s
tokens/s    31.5
refused     none
replica     127.0.0.1:8000 up, answers in 0.20 s, 2 run, 0
            wait
"""
AT_80 = """
ClawdBot at http://127.0.0.1:18780: degraded, up 3 h 12 min
ALERT  63 requests wait, more than 50
ALERT  cpu 91 %, more than 80 %
ALERT  replica big-machine-in-the-cellar 10.0.0.8:8000 is down

requests    63 wait, 4 run, 0.0/s
API calls   66.7 % answered, in 1.00 s on average
messages    answered 70, failed 2
under load  pictures and voice messages in groups are turned away
machine     cpu 91 %, memory 61 %, disk 12 %

server      big-machine-in-the-cellar
running     2, limit 4 of at most 32
waiting     62 of 128: control 1, direct 12, group 40, media 9
ETA         1.3 s; waits lately 0.4 s
tokens/s    not known yet
refused     full 31, too late 4
replica     10.0.0.7:8000 up, answers in 1.50 s, 2 run, 1 wait
replica     10.0.0.8:8000 DOWN, 0 run, 0 wait

server      main
running     2, limit 4 of at most 32
waiting     1 of 128: control 0, direct 1, group 0, media 0
ETA         1.3 s; waits lately 0.4 s
tokens/s    31.5
refused     none
replica     127.0.0.1:8000 up, answers in 0.20 s, 2 run, 0 wait
"""
AT_120 = """
ClawdBot at http://127.0.0.1:18780: degraded, up 3 h 12 min
ALERT  63 requests wait, more than 50
ALERT  cpu 91 %, more than 80 %
ALERT  replica big-machine-in-the-cellar 10.0.0.8:8000 is down

requests    63 wait, 4 run, 0.0/s
API calls   66.7 % answered, in 1.00 s on average
messages    answered 70, failed 2
under load  pictures and voice messages in groups are turned away
machine     cpu 91 %, memory 61 %, disk 12 %

server      big-machine-in-the-cellar
running     2, limit 4 of at most 32
waiting     62 of 128: control 1, direct 12, group 40, media 9
ETA         1.3 s; waits lately 0.4 s
tokens/s    not known yet
refused     full 31, too late 4
replica     10.0.0.7:8000 up, answers in 1.50 s, 2 run, 1 wait
replica     10.0.0.8:8000 DOWN, 0 run, 0 wait

server      main
running     2, limit 4 of at most 32
waiting     1 of 128: control 0, direct 1, group 0, media 0
ETA         1.3 s; waits lately 0.4 s
tokens/s    31.5
refused     none
replica     127.0.0.1:8000 up, answers in 0.20 s, 2 run, 0 wait
"""


@pytest.mark.parametrize(("width", "expected"), [(60, AT_60), (80, AT_80), (120, AT_120)])
def test_trouble_at_the_usual_widths(width: int, expected: str) -> None:
    assert drawn(TROUBLE, width) == expected.strip("\n")


def test_nothing_is_wrong_and_nothing_is_known() -> None:
    empty = decoded(
        b'{"status": "ok", "uptime": 5, "queue_size": 0, "active_requests": 0,'
        b' "requests_per_second": 0, "of_a_later_version": [1]}'
    )
    lines = drawn(empty, 80).splitlines()
    assert lines[0] == f"ClawdBot at {URL}: ok, up 5 s"
    assert "API calls   none in the last minute" in lines
    assert "messages    none yet" in lines
    assert "under load  everything works as usual" in lines
    assert "machine     cpu unknown, memory unknown, disk unknown" in lines
    assert not [line for line in lines if "ALERT" in line or "LOST" in line]


def test_the_thresholds_are_the_configurations() -> None:
    seen = look(BUSY, cpu=91.0)
    generous = AlertsConfig(queue=62, cpu=91, replicas=False)
    assert "ALERT" not in drawn(seen, 80, thresholds=generous)
    assert drawn(seen, 80, thresholds=AlertsConfig(queue=61, cpu=90)).count("ALERT") == 3


def test_alerts_are_red_and_stay_alerts_without_colour() -> None:
    red = drawn(TROUBLE, 80, force_terminal=True, color_system="standard", no_color=False)
    assert "\x1b[1;31mALERT  63 requests wait" in red
    plain = drawn(TROUBLE, 80, force_terminal=True, color_system="standard", no_color=True)
    assert "ALERT" in plain and "31m" not in plain


def test_a_lost_connection_is_the_first_thing_to_see() -> None:
    lines = drawn(TROUBLE, 120, "no bot answers at http://127.0.0.1:18780.").splitlines()
    assert lines[1].startswith("LOST   no bot answers at http://127.0.0.1:18780. Trying on")


def test_a_rung_of_a_later_version_is_named() -> None:
    assert "under load  9, no plugins" in drawn(look(CALM, rung=9, rung_name="no plugins"), 80)


@given(st.integers(40, 200), st.text(max_size=60), st.text(max_size=60))
def test_no_name_steers_the_terminal_and_no_line_is_too_long(
    width: int, server: str, replica: str
) -> None:
    queue = msgspec.structs.replace(
        BUSY, server=server, replicas=(Replica(name=replica, up=False),)
    )
    text = drawn(look(queue), width)
    assert all(c.isprintable() or c == "\n" for c in text)
    assert all(cell_len(line) <= width for line in text.splitlines())


def test_markup_in_a_name_is_shown_as_it_is() -> None:
    seen = look(msgspec.structs.replace(CALM, server="[red]main[/red]"))
    assert "server      [red]main[/red]" in drawn(seen, 80)


def test_the_json_is_the_gateways_and_the_alerts() -> None:
    fields = with_alerts(TROUBLE, alerts_in(TROUBLE, AlertsConfig()))
    assert fields["alerts"] == [
        {"kind": "queue", "subject": ""},
        {"kind": "cpu", "subject": ""},
        {"kind": "replica", "subject": "big-machine-in-the-cellar 10.0.0.8:8000"},
    ]
    assert decoded(msgspec.json.encode(fields)) == TROUBLE
    assert "replicas" not in fields["queues"][0]
