"""Kill the bot at random moments while people write, and balance the books.

Every message that people write carries its own token, and a plugin says it back.
In the end each message must have exactly one outcome, in the journal of the local
Bot API server: answered, noticed, or not addressed. See docs/chaos.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
import time
from typing import Any, Final, TextIO

from chaos_parts.scenario import DISTURBERS, Plan, Result, run

SHARES: Final = {"worker": 0.4, "both": 0.25, "stops": 0.2, "culprit": 0.05, "limits": 0.1}
"""How the kills are divided among the scenarios."""
LEAST: Final = {"culprit": 2}
WAYS: Final = (False, True)


def plans(asked: argparse.Namespace) -> list[Plan]:
    """What to run: every scenario by polling and by webhook."""
    wanted = asked.only or list(SHARES)
    share = sum(SHARES.get(name, 1.0) for name in wanted)
    found = []
    for name in wanted:
        for webhook in WAYS:
            if asked.way and asked.way != ("webhook" if webhook else "polling"):
                continue
            ways = 1 if asked.way else len(WAYS)
            part = asked.kills * SHARES.get(name, 1.0) / (share * ways)
            kills = max(math.ceil(round(part, 6)), LEAST.get(name, 1))
            gap = asked.gap * (4 if name == "limits" else 1)
            found.append(
                Plan(name, kills, webhook, rate=asked.rate, messages=asked.messages, gap=gap,
                     seed=asked.seed, doubled=asked.doubled, options=asked.option)
            )  # fmt: skip
    return found


def tell(result: Result, took: float, out: TextIO) -> None:
    """One scenario, for people."""
    f = result.figures
    print(
        f"{result.plan.name:18} {f['disturbed']:4} disturbed  {f['injected']:6} injected = "
        f"{f['answered']} answered + {f['noticed']} noticed + {f['unaddressed']} not addressed; "
        f"{f['duplicates']} twice ({f['in_flight_at_kills']} in flight), "
        f"{f['disordered']} out of order, {f['canaries_found']} canaries in "
        f"{f['files_searched']} files; {took:.0f} s",
        file=out,
    )
    for failure in result.failures:
        print(f"    FAILED: {failure}", file=out)


def total(results: list[Result]) -> dict[str, Any]:
    """All runs' figures: the sums, and each run's own by its name."""
    summed = (
        "injected", "addressed", "answered", "noticed", "unaddressed", "lost", "duplicates",
        "in_flight_at_kills", "disordered", "torn", "misdirected", "uninvited", "unexplained",
        "both", "orphans", "restarts", "reloads", "violations", "server_crashes",
        "canaries_found", "files_searched",
    )  # fmt: skip
    figures: dict[str, Any] = {name: sum(r.figures[name] for r in results) for name in summed}
    figures["kills"] = sum(r.figures["disturbed"] for r in results)
    figures["failures"] = sum(len(r.failures) for r in results)
    figures["runs"] = {r.plan.name.replace(", ", "_"): r.figures for r in results}
    return figures


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=100, help="of all scenarios together")
    parser.add_argument("--rate", type=float, default=40.0, help="messages a second")
    parser.add_argument("--messages", type=int, default=0, help="at least so many in each run")
    parser.add_argument("--gap", type=float, default=1.5, help="mean seconds between two kills")
    parser.add_argument("--doubled", type=float, default=0.02, help="share of repeated updates")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000)
    parser.add_argument("--only", action="append", choices=DISTURBERS, help="may be repeated")
    parser.add_argument("--way", choices=("polling", "webhook"), help="only this one")
    parser.add_argument("--option", action="append", default=[], help="of `clawdbot run`")
    parser.add_argument("--json", action="store_true", help="print the line of JSON only")
    asked = parser.parse_args()
    if asked.kills < 1 or asked.rate <= 0 or asked.gap <= 0:
        parser.error("--kills, --rate and --gap must be more than 0")
    return asked


def main() -> None:
    """Run every scenario, then say what came out."""
    asked = arguments()
    out = sys.stderr if asked.json else sys.stdout
    print(f"seed {asked.seed}", file=out)
    results = []
    for plan in plans(asked):
        began = time.monotonic()
        result = asyncio.run(run(plan))
        results.append(result)
        tell(result, time.monotonic() - began, out)
        out.flush()
    figures = {"seed": asked.seed} | total(results)
    print(json.dumps(figures))
    sys.exit(1 if figures["failures"] else 0)


if __name__ == "__main__":
    main()
