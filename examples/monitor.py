"""Prints a line when something goes wrong with a ClawdBot, and one when it is over.

Needs nothing but httpx: copy it, and put what your own pager wants in place of print.

    python examples/monitor.py --url http://127.0.0.1:18780 --queue 50 --cpu 80
"""

from __future__ import annotations

import argparse
import os
import time
from datetime import datetime
from typing import Any

import httpx


def wrong_in(numbers: dict[str, Any], *, queue: int, cpu: float) -> dict[str, str]:
    """What is wrong in the JSON of ``/metrics?format=json``: a name and a sentence for each.

    ``queue`` is the number of requests that may wait, ``cpu`` a percentage.
    """
    wrong = {}
    if numbers["queue_size"] > queue:
        wrong["queue"] = f"{numbers['queue_size']} requests wait, more than {queue}"
    # Before the first look at the machine it is null.
    if (numbers["cpu_percent"] or 0) > cpu:
        wrong["cpu"] = f"the processors are busy: {numbers['cpu_percent']:.0f} %"
    for replica in numbers["replicas"]:
        if not replica["up"]:
            name = f"{replica['server']} {replica['name']}"
            wrong[f"replica {name}"] = f"the replica {name} is down"
    return wrong


def look(client: httpx.Client, *, queue: int, cpu: float) -> dict[str, str]:
    """Ask once, and say what is wrong; that nobody answers is wrong, too."""
    try:
        answer = client.get("/metrics", params={"format": "json"})
        answer.raise_for_status()
        return wrong_in(answer.json(), queue=queue, cpu=cpu)
    except httpx.HTTPStatusError as error:
        return {"answer": f"the gateway answers HTTP {error.response.status_code}"}
    except httpx.HTTPError as error:
        return {"answer": f"the gateway can't be reached ({type(error).__name__})"}
    except (KeyError, TypeError, ValueError):
        return {"answer": "what answers is no gateway of ClawdBot"}


def main() -> None:
    """Poll until Ctrl-C, or ``--looks`` times."""
    parser = argparse.ArgumentParser(description="Prints alerts of a ClawdBot that runs.")
    parser.add_argument("--url", default="http://127.0.0.1:18780", help="the gateway")
    parser.add_argument("--queue", type=int, default=50, help="requests that may wait")
    parser.add_argument("--cpu", type=float, default=80, help="percent that is still fine")
    parser.add_argument("--interval", type=float, default=5, help="seconds between two looks")
    parser.add_argument("--looks", type=int, default=0, help="end after so many; 0: never")
    given = parser.parse_args()

    token = os.environ.get("CLAWDBOT_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    before: dict[str, str] = {}
    looks = 0
    with httpx.Client(base_url=given.url, headers=headers, timeout=5) as client:
        while True:
            now = look(client, queue=given.queue, cpu=given.cpu)
            at = datetime.now().astimezone().isoformat(" ", "seconds")
            for name in now.keys() - before.keys():
                print(f"{at} ALERT {now[name]}", flush=True)
            for name in before.keys() - now.keys():
                print(f"{at} over: {before[name]}", flush=True)
            before = now
            looks += 1
            if looks == given.looks:
                return
            time.sleep(given.interval)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit(0) from None
