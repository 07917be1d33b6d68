"""What the owner is alerted to: long queues, a busy machine, replicas that are down. Pure."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from ..config import AlertsConfig
from ..vitals import Vitals

HOLD: Final = 10.0
"""Seconds that something must last before it is told, and be over before that is."""

Kind = Literal["queue", "cpu", "replica"]


class Alert(msgspec.Struct, frozen=True):
    """Something that is wrong: ``kind`` and what it is about."""

    kind: Kind
    subject: str


class Alerts:
    """Which alerts have begun, and which are over."""

    def __init__(self, config: AlertsConfig) -> None:
        self._config = config
        self._since: dict[Alert, float] = {}
        self._over: dict[Alert, float] = {}
        self.active: set[Alert] = set()

    def look(
        self, vitals: Vitals, cpu_percent: float | None, now: float
    ) -> tuple[list[Alert], list[Alert]]:
        """Those that begin now, and those that end; ``now`` in seconds of any steady clock."""
        present = found(self._config, vitals, cpu_percent)
        self._since = {alert: self._since.get(alert, now) for alert in present}
        self._over = {
            alert: self._over.get(alert, now) for alert in self.active if alert not in present
        }
        begun = [
            alert
            for alert, since in self._since.items()
            if alert not in self.active and now - since >= HOLD
        ]
        ended = [alert for alert, since in self._over.items() if now - since >= HOLD]
        self.active.update(begun)
        self.active.difference_update(ended)
        return begun, ended


def found(config: AlertsConfig, vitals: Vitals, cpu_percent: float | None) -> list[Alert]:
    """What is wrong at this moment."""
    wrong = []
    if vitals.waiting > config.queue:
        wrong.append(Alert("queue", ""))
    if cpu_percent is not None and cpu_percent > config.cpu:
        wrong.append(Alert("cpu", ""))
    if config.replicas:
        wrong += [
            Alert("replica", f"{queue.server} {replica.name}")
            for queue in vitals.queues
            for replica in queue.replicas
            if not replica.up
        ]
    return wrong
