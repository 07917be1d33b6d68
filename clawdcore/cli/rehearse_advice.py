"""The one setting to change after a rehearsal, from its numbers. Pure."""

from __future__ import annotations

import math
from typing import Final

import msgspec

from .rehearse_measure import Result
from .rehearse_pressure import Pressure

OFTEN: Final = 0.25
"""The part of the looks from which on something is not chance."""
NEARLY: Final = 0.85
"""The part of Telegram's limit in a group at which the bot begins to spread its messages:
(20 - 3) / 20, see edge/delivery/pace.py."""
MOST_AT_ONCE: Final = 4096
"""The most that gateway.maxConcurrentRequests takes."""
MOST_WAITING: Final = 100_000
"""The most that gateway.requestQueueSize takes."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings that matter here, as they are.

    ``total`` is agents.defaults.timeout.total in seconds; ``base_urls`` counts the
    model's servers, 0 where the model runs inside the bot.
    """

    model: str
    base_urls: int
    total: float
    group_per_minute: float


class Advice(msgspec.Struct, frozen=True):
    """What to do, and why; ``setting`` "" where no setting helps."""

    why: str
    setting: str = ""
    present: str = ""
    proposed: str = ""

    def line(self) -> str:
        """As a sentence for the owner."""
        if not self.setting:
            return f"{self.why} Nothing to change."
        return f"{self.why} Change {self.setting} from {self.present} to {self.proposed}."


def advise(result: Result, goal: float, pressure: Pressure | None, settings: Settings) -> Advice:
    """The first thing that stands in the way of ``goal`` (0 to 1)."""
    if not result.addressed:
        return Advice("Nothing was measured.")
    if result.lost:
        return Advice(
            f"{result.lost} messages got neither an answer nor a notice, which must never be: "
            "please report it with the bot's version."
        )
    if (result.success or 0.0) >= goal:
        return Advice("The goal is met.")
    if result.failed >= max(1, result.late + result.refused):
        return _failing(result, settings)
    if _paced(result, settings):
        return Advice(
            f"Telegram takes {settings.group_per_minute:g} messages a minute in a group, and the "
            f"bot sent up to {result.group_peak}: that is what people waited for."
        )
    if pressure is None:
        return _slow(result, settings)
    return _crowded(result, pressure, settings)


def _failing(result: Result, settings: Settings) -> Advice:
    why = f"{result.failed} messages got a notice because a model or plugin failed."
    if settings.base_urls:
        name = f"models.providers.{settings.model.partition('/')[0]}.baseUrls"
        return Advice(why, name, "servers that fail", "servers that answer (`clawdbot doctor`)")
    return Advice(why, "agents.defaults.model", settings.model, "one that `clawdbot doctor` passes")


def _paced(result: Result, settings: Settings) -> bool:
    """Whether what is missing is late in groups, and the groups' limit was used up."""
    misses = result.late + result.refused + result.failed
    return (
        result.late_groups * 2 > misses
        and result.group_peak >= NEARLY * settings.group_per_minute
        and (result.private_mean or 0.0) < settings.total / 2
    )


def _crowded(result: Result, pressure: Pressure, settings: Settings) -> Advice:
    full = pressure.refused.get("full", 0)
    in_time = _can_wait(result, pressure, settings)
    room = in_time > pressure.bound or pressure.at_limit < OFTEN
    if full and room and pressure.bound < MOST_WAITING:
        proposed = min(MOST_WAITING, max(pressure.bound * 2, in_time))
        return Advice(
            f"{full} requests were refused because the queue was full, though they could have "
            "been answered in time.",
            "gateway.requestQueueSize",
            str(pressure.bound),
            str(proposed),
        )
    if not full and pressure.waited < OFTEN and not result.refused:
        return _slow(result, settings)
    if (
        pressure.at_ceiling >= OFTEN
        and pressure.inside < OFTEN
        and settings.base_urls
        and pressure.ceiling < MOST_AT_ONCE
    ):
        return Advice(
            f"As many ran as may ({pressure.ceiling}) while others waited, and the server had "
            "no queue of its own: it can do more at once.",
            "gateway.maxConcurrentRequests",
            str(pressure.ceiling),
            str(min(MOST_AT_ONCE, pressure.ceiling * 2)),
        )
    return _slower_than_asked(pressure, settings)


def _can_wait(result: Result, pressure: Pressure, settings: Settings) -> int:
    """How many can wait and still be answered in time, at the speed that was measured."""
    if result.seconds <= 0:
        return 0
    return math.floor(pressure.finished / result.seconds * settings.total)


def _slower_than_asked(pressure: Pressure, settings: Settings) -> Advice:
    """The model server itself is the limit: it needs help, or less to do."""
    if settings.base_urls:
        return Advice(
            f"The model server does {pressure.limit} requests at once and can't keep up.",
            f"models.providers.{pressure.server}.baseUrls",
            _servers(settings.base_urls),
            f"{_servers(settings.base_urls + 1)} (another replica), or take a smaller model",
        )
    return Advice(
        f"The model inside the bot does {pressure.limit} requests at once and can't keep up.",
        "agents.defaults.model",
        settings.model,
        "a smaller one, or one on a server of its own (vllm)",
    )


def _slow(result: Result, settings: Settings) -> Advice:
    """Nobody had to wait, and yet answers came too late."""
    return Advice(
        f"Hardly anything waited in line, but single answers take "
        f"{result.mean or settings.total:.1f} s of the {settings.total:g} s that they may.",
        "agents.defaults.model",
        settings.model,
        "a smaller or faster one",
    )


def _servers(count: int) -> str:
    return f"{count} address" if count == 1 else f"{count} addresses"
