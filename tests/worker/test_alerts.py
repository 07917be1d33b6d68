"""What the owner is alerted to, and when it is over."""

from __future__ import annotations

from typing import Any

from clawdcore.backend import Replica
from clawdcore.config import AlertsConfig
from clawdcore.vitals import Queue, Vitals
from clawdcore.worker.alerts import HOLD, Alert, Alerts


def vitals(waiting: int = 0, *up: bool) -> Vitals:
    replicas = tuple(Replica(name=f"gpu{n}:8000", up=each) for n, each in enumerate(up))
    settings: dict[str, Any] = {
        "server": "vllm", "limit": 1, "ceiling": 1, "bound": 100, "running": 0,
        "accepted": 0, "finished": 0, "refused": {}, "replicas": replicas,
    }  # fmt: skip
    return Vitals(uptime=1.0, queues=(Queue(waiting={"direct": waiting}, **settings),))


QUEUE, CPU = Alert("queue", ""), Alert("cpu", "")


def test_what_lasts_is_told_once_and_so_is_its_end() -> None:
    alerts = Alerts(AlertsConfig())
    told = [alerts.look(vitals(51), 10.0, float(second)) for second in range(30)]
    assert [second for second, (begun, _) in enumerate(told) if begun] == [HOLD]
    assert told[int(HOLD)] == ([QUEUE], [])
    told = [alerts.look(vitals(50), 10.0, 30.0 + second) for second in range(30)]
    assert [second for second, (_, ended) in enumerate(told) if ended] == [HOLD]
    assert alerts.active == set()


def test_a_peak_is_not_told_nor_is_a_short_relief() -> None:
    alerts = Alerts(AlertsConfig())
    for second in range(100):
        busy = 90.0 if second % 8 else 10.0
        assert alerts.look(vitals(), busy, float(second)) == ([], [])
    for second in range(100, 120):
        alerts.look(vitals(), 90.0, float(second))
    assert alerts.active == {CPU}
    assert alerts.look(vitals(), 10.0, 120.0) == ([], [])
    assert alerts.look(vitals(), 90.0, 121.0) == ([], [])
    assert alerts.look(vitals(), 10.0, 122.0) == ([], [])
    assert alerts.look(vitals(), 10.0, 122.0 + HOLD) == ([], [CPU])


def test_each_replica_is_an_alert_of_its_own_unless_they_are_off() -> None:
    alerts = Alerts(AlertsConfig())
    for second in range(11):
        begun, _ = alerts.look(vitals(0, True, False, False), None, float(second))
    assert begun == [Alert("replica", "vllm gpu1:8000"), Alert("replica", "vllm gpu2:8000")]
    quiet = Alerts(AlertsConfig(replicas=False))
    for second in range(11):
        assert quiet.look(vitals(0, False), None, float(second)) == ([], [])


def test_thresholds_are_the_configurations() -> None:
    alerts = Alerts(AlertsConfig(queue=5, cpu=30))
    for second in range(11):
        begun, _ = alerts.look(vitals(6), 31.0, float(second))
    assert begun == [QUEUE, CPU]
