"""How a rehearsal's numbers are told."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from clawdcore.cli.rehearse_advice import Advice
from clawdcore.cli.rehearse_measure import measure
from clawdcore.cli.rehearse_outcome import Asked, Outcome
from clawdcore.cli.rehearse_pressure import Pressure
from clawdcore.cli.rehearse_report import Report

PRESSURE = Pressure(
    server="vllm",
    limit=8,
    ceiling=32,
    bound=128,
    replicas=1,
    finished=3,
    refused={"full": 2},
    most_waiting=9,
    waited=0.5,
    at_ceiling=0.0,
    at_limit=1.0,
    inside=0.0,
    load=2.5,
)


def report(*outcomes: Outcome, goal: float = 1.0, whole: bool = True, **more: Any) -> Report:
    asked = [Asked(due=0.0, user=1, chat=1, message_id=n) for n, _ in enumerate(outcomes)]
    result = measure(
        asked, outcomes, total=60.0, sent=9, now=5.0, seconds=10.0, whole=whole, turned_away=4
    )
    values: dict[str, Any] = {
        "profile": "busy",
        "goal": goal,
        "result": result,
        "pressure": PRESSURE,
        "rung": "short_answers",
        "advice": Advice("Full.", "gateway.requestQueueSize", "128", "256"),
    }
    return Report(**{**values, **more})


ANSWERED = Outcome("answered", 2.0)
REFUSED = Outcome("refused", 1.0, 40.0)


def test_everything_that_was_measured_is_told() -> None:
    text = "\n".join(report(ANSWERED, REFUSED).lines())
    for words in (
        "sent       9, of which 2 to the bot",
        "success    50.0%; the goal is 100.0%",
        "mean 2.00 s, median 2.00 s, p99 2.00 s",
        "refused    1, told to come back in 40 to 40 s",
        "lost       0",
        "0.30 (rate × latency); the bot's queue held 2.50 on average",
        "429s       4 messages",
        "vllm: limit 8 of 32, at most 9 waited of 128; refused: full 2; given up: short answers",
        "FAIL: Full. Change gateway.requestQueueSize from 128 to 256.",
    ):
        assert words in text


def test_a_goal_is_met_or_not() -> None:
    assert report(ANSWERED).met
    assert report(ANSWERED, REFUSED, goal=0.5).met
    assert not report(ANSWERED, REFUSED).met
    assert "PASS: " in report(ANSWERED).lines()[-1]


def test_nothing_may_be_lost_whatever_the_goal() -> None:
    assert not report(*[ANSWERED] * 999, Outcome(), goal=0.9).met


def test_without_a_measurement_no_goal_is_met() -> None:
    found = report(pressure=None)
    assert not found.met
    assert "nothing measured" in "\n".join(found.lines())


def test_what_was_measured_before_an_interruption_is_told_as_that() -> None:
    lines = report(ANSWERED, Outcome(), whole=False, interrupted=True).lines()
    assert "open       1 when it was interrupted" in lines
    assert lines[-1].startswith("SO FAR: ")


def test_a_program_gets_the_same_as_json() -> None:
    told = json.loads(msgspec.json.encode(report(ANSWERED, REFUSED).as_json()))
    assert (told["success"], told["met"], told["refused"], told["lost"]) == (0.5, False, 1, 0)
    assert told["in_flight"] == 0.3
    assert told["queue"]["refused"] == {"full": 2}
    assert told["advice"]["proposed"] == "256"
