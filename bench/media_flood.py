"""Pictures and voice notes in a flood: do those who write text notice?

Quiet people write in private and in a group; a latency counts from when the question
was due (open loop, Poisson). First alone, then beside a flood of pictures and voice notes
from others, in the same group and in private, of several times what can be read. Real are
the bot, its processes, OCR and speech recognition; the model is simulated, since what this
asks is whether reading takes the processors from those who write.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final

import platformdirs
from flood_parts import media, sides
from flood_parts.calling import closed
from flood_parts.media import File, Senders
from flood_parts.tally import Fate
from simulator.engine import PRESETS

from clawdcore.cli.rehearse_measure import quantile
from clawdcore.testing.botapi import BotApiServer

LIMIT: Final = 8
TOTAL: Final = 60.0
QUIET_SHARE: Final = 0.5
"""The part of the engine's capacity that the quiet people ask for."""
REST: Final = 3.0
SPEED: Final = 2.0
"""Of the simulated engine; it then answers some eight times a second."""
Found = dict[str, Any]


def files() -> dict[str, list[File]]:
    """What can be sent, by the plugin that reads it; what is missing is told and left out."""
    found = {}
    for plugin, make in (("ocr", media.pictures), ("voice", media.recordings)):
        if not entry_points(group="clawdbot", name=plugin):
            print(f"SKIPPED {plugin}: the plugin is not installed")
            continue
        try:
            found[plugin] = make()
        except FileNotFoundError as error:
            print(f"SKIPPED {plugin}: {error}")
    return found


def _engine() -> dict[str, Any]:
    known = PRESETS["small"]
    steps = {name: getattr(known, name) / SPEED for name in "abc"}
    return {"max_sequences": LIMIT, **steps}


async def measure(options: argparse.Namespace) -> Found:
    """Both runs, and the figures."""
    sent = files()
    if not sent:
        raise sides.CannotStart("there is nothing to send")
    most = max(map(len, sent.values()))
    mixed = [each[number % len(each)] for number in range(most) for each in sent.values()]
    # The bot gets a home of its own; the speech model is in the cache of ours.
    os.environ.setdefault("CLAWDBOT_CACHE", str(platformdirs.user_cache_path("clawdbot")))
    with tempfile.TemporaryDirectory(prefix="clawdbot-media-") as name:
        async with (
            sides.simulator(_engine(), "small") as engine,
            BotApiServer(sides.TOKEN, keep=sides.KEPT) as server,
            sides.clawdbot(
                Path(name),
                engine,
                limit=LIMIT,
                within=TOTAL,
                api_root=server.root,
                plugins=[*sent, "chat"],
            ) as gateway,
        ):
            await closed(gateway, at_once=LIMIT, seconds=5, patience=60)
            fates = await closed(engine, at_once=LIMIT, seconds=15, patience=60)
            capacity = sum(fate.ended < 15 for fate in fates) / 15
            people = Senders(server, mixed)
            calls = media.quiet(QUIET_SHARE * capacity, options.seconds, options.seed)
            first = await people.play(media.flood(1.0, 5.0, options.seed), patience=120)
            print(f"engines loaded: {sum(f.outcome == 'answered' for f in first)} files read")
            alone = await people.play(calls, patience=TOTAL)
            await asyncio.sleep(REST)
            after = max((record.n for record in server.records()), default=0)
            loud = media.flood(options.rate, options.seconds, options.seed)
            fates = await people.play(sorted([*calls, *loud], key=lambda it: it.at), patience=240)
            notes = media.unread(server, after)
            await asyncio.sleep(REST)
            alone += await people.play(calls, patience=TOTAL)  # before and after, for a drift
            return {
                "capacity_per_s": round(capacity, 3),
                "media_rate": options.rate,
                "media_plugins": sorted(sent),
                **compared(alone, [fate for fate in fates if fate.call.quiet]),
                **of_media(
                    [fate for fate in fates if not fate.call.quiet],
                    *notes,
                    seconds=options.seconds,
                ),
            }


def compared(alone: Sequence[Fate], beside: Sequence[Fate]) -> Found:
    """What the quiet people waited, with the flood and without it.

    None where there is no figure: nobody asked, or an answer of either run never came.
    In time is within twice the p99 without the flood.
    """
    found: Found = {}
    for kind, name in (("direct", "private"), ("group", "group")):
        base, now = (
            [fate.latency for fate in fates if fate.call.kind == kind] for fates in (alone, beside)
        )
        p50, p99 = (_compared(base, now, share) for share in (0.5, 0.99))
        limit = _finite(quantile(base, 0.99))
        in_time = None
        if limit is not None and now:
            in_time = round(sum(latency <= 2 * limit for latency in now) / len(now), 4)
        found |= {
            f"text_asked_{name}": len(now),
            f"text_p50_{name}_s": _finite(quantile(now, 0.5)),
            f"text_p99_{name}_s": _finite(quantile(now, 0.99)),
            f"text_p50_over_baseline_{name}": p50,
            f"text_p99_over_baseline_{name}": p99,
            f"text_ok_{name}": in_time,
        }
        print(
            f"{name}: {len(now)} asked, p50 {_finite(quantile(base, 0.5))} -> "
            f"{_finite(quantile(now, 0.5))}, p99 {limit} -> {_finite(quantile(now, 0.99))} s "
            f"({p99} x), in time {in_time}"
        )
    return found


def _finite(value: float | None) -> float | None:
    """Rounded; None for what never ended, since JSON has no infinity."""
    return None if value is None or math.isinf(value) else round(value, 3)


def _compared(base: Sequence[float], now: Sequence[float], share: float) -> float | None:
    before, after = quantile(base, share), quantile(now, share)
    if not before or after is None or math.isinf(before):
        return None
    return _finite(after / before)


def of_media(fates: Sequence[Fate], busy: int, failed: int, *, seconds: float) -> Found:
    """What became of the files; of the answers ``busy`` and ``failed`` were no text."""
    outcomes = Counter(fate.outcome for fate in fates)
    read = outcomes["answered"] - busy - failed
    failed += outcomes["failed"]
    last = max((fate.ended for fate in fates if fate.outcome == "answered"), default=seconds)
    print(
        f"of {len(fates)} files {read} were read ({read / last:.2f}/s), "
        f"{busy + outcomes['refused']} refused, {failed} failed, "
        f"{outcomes['lost']} lost"
    )
    return {
        "media_sent": len(fates),
        "media_read": read,
        "media_refused": busy + outcomes["refused"],
        "media_failed": failed,
        "media_read_per_s": round(read / last, 3),
        "media_lost": outcomes["lost"],
    }


def main() -> None:
    """Measure, and say what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="of each run")
    parser.add_argument("--rate", type=float, default=4.0, help="files a second")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.seconds <= 0 or options.rate <= 0:
        parser.error("--seconds and --rate must be above 0")
    try:
        found = asyncio.run(measure(options))
    except sides.CannotStart as error:
        sys.exit(f"bench/media_flood.py: {error}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
