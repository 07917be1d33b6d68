"""The pure parts of bench/media_flood.py: who sends what when, and the figures."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from flood_parts.chats import place
from flood_parts.media import flood, quiet
from flood_parts.plan import Call
from flood_parts.tally import Fate
from media_flood import compared, of_media


def fates(kind: str, latencies: list[float]) -> list[Fate]:
    """Quiet people's answers, each after so many seconds; one that is infinite never came."""
    found = []
    for at, latency in enumerate(latencies):
        call = Call(float(at), True, "direct" if kind == "direct" else "group", at)
        fate = Fate(call, call.at)
        if latency < float("inf"):
            fate.outcome, fate.ended = "answered", call.at + latency
        found.append(fate)
    return found


def both(latencies: list[float]) -> list[Fate]:
    return fates("direct", latencies) + fates("group", latencies)


def test_the_quiet_and_the_flood_have_their_rates_and_come_in_order() -> None:
    calm, loud = quiet(3.0, 400.0, 1), flood(8.0, 400.0, 1)
    assert len(calm) == pytest.approx(3 * 400, rel=0.15)
    assert len(loud) == pytest.approx(8 * 400, rel=0.15)
    for calls in (calm, loud):
        assert all(one.at <= other.at for one, other in pairwise(calls))
        assert all(0 < call.at < 400 for call in calls)
    assert all(call.quiet for call in calm)
    assert not any(call.quiet for call in loud)


def test_half_is_in_private_and_half_in_the_one_group_of_all() -> None:
    calm, loud = quiet(3.0, 400.0, 1), flood(8.0, 400.0, 1)
    for calls in (calm, loud):
        direct = sum(call.kind == "direct" for call in calls)
        assert direct == pytest.approx(len(calls) / 2, rel=0.15)
    groups = {place(call)[1] for call in (*calm, *loud) if call.kind != "direct"}
    assert len(groups) == 1


def test_nobody_both_writes_and_sends_files() -> None:
    writes = {place(call)[0] for call in quiet(3.0, 400.0, 1)}
    sends = {place(call)[0] for call in flood(8.0, 400.0, 1)}
    assert not writes & sends


def test_the_same_seed_sends_the_same() -> None:
    assert quiet(3.0, 20.0, 1) == quiet(3.0, 20.0, 1) != quiet(3.0, 20.0, 2)
    assert flood(8.0, 20.0, 1) == flood(8.0, 20.0, 1) != flood(8.0, 20.0, 2)


def test_what_the_quiet_waited_is_compared_by_where_they_write() -> None:
    alone = both([1.0] * 10)
    beside = fates("direct", [1.1] * 10) + fates("group", [1.0] * 9 + [3.0])
    found = compared(alone, beside)
    ratios = {key: value for key, value in found.items() if "p99_over_baseline" in key}
    (private,) = (value for key, value in ratios.items() if key.endswith("private"))
    (group,) = (value for key, value in ratios.items() if key.endswith("group"))
    assert private == pytest.approx(1.1)
    assert group == pytest.approx(3.0), "one of ten is the 99th percentile"


def test_an_answer_that_never_came_is_not_left_out() -> None:
    found = compared(both([1.0] * 10), both([1.0] * 9 + [float("inf")]))
    ratios = [value for key, value in found.items() if "p99_over_baseline" in key]
    assert len(ratios) == 2
    assert not any(value is not None and value <= 1.2 for value in ratios)


def test_without_a_baseline_there_is_no_good_figure() -> None:
    found = compared(both([1.0] * 9 + [float("inf")]), both([1.0] * 10))
    for name in ("private", "group"):
        assert found[f"text_p99_over_baseline_{name}"] is None
        assert found[f"text_ok_{name}"] is None


@pytest.mark.parametrize("now", [[], [1.0], [float("inf")]])
def test_the_figures_are_always_json(now: list[float]) -> None:
    found = compared(both([1.0] * 3), both(now))
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_a_file_is_read_or_refused_or_failed_or_lost_and_each_counts_once() -> None:
    call = Call(1.0, False, "media", 0, 41)
    sent = [Fate(call, 1.0, "answered", 5.0) for _ in range(6)]
    sent += [Fate(call, 1.0, "refused", 2.0), Fate(call, 1.0, "failed", 3.0), Fate(call, 1.0)]
    found = of_media(sent, 2, 1, seconds=10.0)
    assert found["media_sent"] == 9
    assert found["media_read"] == 3, "of six answers two say busy and one that it failed"
    assert found["media_refused"] == 3
    assert found["media_failed"] == 2
    assert found["media_lost"] == 1
