"""What the looks at the bot's gateway add up to."""

from __future__ import annotations

from typing import Any

import pytest

from clawdcore.cli.monitor_look import Ladder, Look, Server
from clawdcore.cli.rehearse_pressure import busiest, most_rung, pressures
from clawdcore.vitals import Queue


def queue(running: int = 0, waiting: int = 0, server: str = "vllm", **more: Any) -> Queue:
    values: dict[str, Any] = {
        "server": server,
        "limit": 4,
        "ceiling": 8,
        "bound": 16,
        "running": running,
        "waiting": {"direct": waiting},
        "accepted": 0,
        "finished": 0,
        "refused": {},
    }
    return Queue(**{**values, **more})


def look(*queues: Queue, inside: int = 0, rung: int = 0, name: str = "none") -> Look:
    return Look(
        status="ok",
        uptime=1.0,
        queue_size=0,
        active_requests=0,
        requests_per_second=0.0,
        ladder=Ladder(rung, name),
        queues=queues,
        replicas=(Server(server="vllm", name="gpu:8000", up=True, waiting=inside),),
    )


def test_shares_are_of_the_looks_at_which_something_waited() -> None:
    [found] = pressures(
        [
            look(queue(0, 0)),
            look(queue(8, 3)),
            look(queue(4, 1), inside=2),
            look(queue(2, 0)),
            look(queue(1, 4)),
            look(queue(8, 9, finished=30, refused={"full": 2, "late": 0})),
        ]
    )
    assert found.waited == pytest.approx(4 / 6)
    assert found.at_ceiling == pytest.approx(2 / 4)
    assert found.at_limit == pytest.approx(3 / 4)
    assert found.inside == pytest.approx(1 / 4)
    assert found.most_waiting == 9
    assert found.load == pytest.approx((0 + 11 + 5 + 2 + 5 + 17) / 6)
    assert (found.finished, found.refused, found.replicas) == (30, {"full": 2}, 1)
    assert (found.limit, found.ceiling, found.bound) == (4, 8, 16)


def test_without_looks_there_is_nothing() -> None:
    assert pressures([]) == []
    assert busiest([]) is None
    assert most_rung([]) == ""


def test_nothing_waits_and_nothing_is_divided_by_it() -> None:
    [found] = pressures([look(queue(3, 0))])
    assert (found.waited, found.at_ceiling, found.at_limit, found.inside) == (0, 0, 0, 0)


def test_the_server_that_refused_most_is_the_one_to_look_at() -> None:
    found = pressures(
        [look(queue(1, 9, "a"), queue(1, 1, "b", refused={"late": 1}), queue(1, 9, "c"))]
    )
    chosen = busiest(found)
    assert chosen is not None
    assert chosen.server == "b"


def test_the_furthest_rung_is_told() -> None:
    looks = [look(rung=1, name="whole_answers"), look(rung=2, name="short_answers"), look()]
    assert most_rung(looks) == "short_answers"
