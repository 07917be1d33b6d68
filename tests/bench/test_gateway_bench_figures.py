"""The figures of ``make bench-gateway`` from what its rounds measured."""

from __future__ import annotations

import pytest
from gateway_parts.figures import Measured, figures, percentile


def once(rate: float, p50: float | None = 1.0, failed: int = 0) -> Measured:
    return Measured(rate, failed, p50, p50)


def test_a_percentile_is_the_nearest_rank() -> None:
    assert percentile([1.0, 2.0, 3.0], 50) == 2.0
    assert percentile([1.0, 2.0, 3.0], 100) == 3.0
    assert percentile([1.0, 2.0, 3.0, 4.0], 50) == 2.0
    assert percentile([7.0], 1) == 7.0


def test_nothing_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 50)


def test_ratios_are_taken_within_a_round_and_then_their_median() -> None:
    # A machine that slows down for a round slows both, and the ratio stays.
    told = figures(
        {
            "bare": {"32": [once(1000), once(100), once(1000)]},
            "ours": {"32": [once(900), once(90), once(500)]},
        }
    )
    assert told["over_bare_32"] == 0.9
    assert told["rps_32"] == 500


def test_added_time_is_the_median_of_the_differences() -> None:
    told = figures(
        {
            "direct": {"1": [once(1, 0.1), once(1, 5.1), once(1, 0.1)]},
            "bare": {"1": [once(1, 0.3), once(1, 5.3), once(1, 0.3)]},
            "ours": {"1": [once(1, 0.5), once(1, 5.5), once(1, 0.6)]},
        }
    )
    assert told["added_p50_ms"] == pytest.approx(0.4)
    assert told["added_p50_ms_bare"] == pytest.approx(0.2)


def test_streams_have_figures_of_their_own() -> None:
    told = figures(
        {
            "bare": {"stream_32": [once(400)]},
            "ours": {"stream_32": [once(200)]},
        }
    )
    assert told["stream_over_bare_32"] == 0.5
    assert told["stream_rps_32"] == 200
    assert told["over_bare_32"] is None


def test_a_system_that_was_left_out_or_answered_nothing_leaves_no_figure() -> None:
    told = figures({"ours": {"32": [once(800)]}, "smg": {"32": [once(0.0, None, failed=3)]}})
    assert told["over_smg_32"] is None
    assert told["over_litellm_32"] is None
    assert told["added_p50_ms"] is None
    assert told["raw"]["smg"]["32"] == {"rps": 0.0, "p50_ms": None, "p99_ms": None}


def test_what_failed_is_counted_by_system() -> None:
    told = figures({"ours": {"1": [once(1)]}, "smg": {"1": [once(1, failed=2), once(1, failed=1)]}})
    assert told["failed"] == {"smg": 3}
