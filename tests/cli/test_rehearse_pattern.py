"""The schedule of a rehearsal: its number, its moments, its people and its texts."""

from __future__ import annotations

import itertools
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdcore.cli.rehearse_pattern import (
    BURSTS,
    PROFILES,
    Line,
    groups_of,
    people_of,
    schedule,
)


def lines(name: str = "busy", seconds: float = 600, seed: int = 1, **more: bool) -> list[Line]:
    return schedule(
        PROFILES[name], seconds, seed, username="clawd_bot", translate=more.get("translate", True)
    )


@given(st.sampled_from(sorted(PROFILES)), st.floats(1, 3600), st.integers())
def test_messages_come_in_order_within_the_time_at_the_profiles_rate(
    name: str, seconds: float, seed: int
) -> None:
    found = lines(name, seconds, seed)
    moments = [line.at for line in found]
    assert len(found) == max(1, round(PROFILES[name].rate * seconds / 60))
    assert moments == sorted(moments)
    assert all(0 <= at <= seconds for at in moments)


@pytest.mark.parametrize(("name", "low", "high"), [("quiet", 5, 10), ("busy", 30, 50)])
def test_the_rates_are_what_the_profiles_promise(name: str, low: float, high: float) -> None:
    assert low <= PROFILES[name].rate <= high


def test_a_day_that_breaks_things_has_a_hundred_messages_a_minute_or_more() -> None:
    assert PROFILES["breaking"].rate >= 100


def test_the_goals_fall_with_the_load() -> None:
    goals = [1.0, 0.997, 0.985]
    assert [PROFILES[name].goal for name in ("quiet", "busy", "breaking")] == goals
    assert [BURSTS[size].goal for size in (10, 50, 100)] == goals


def test_the_same_seed_gives_the_same_schedule_and_another_seed_another() -> None:
    assert lines(seed=7) == lines(seed=7)
    assert lines(seed=7) != lines(seed=8)


def test_arrivals_are_as_irregular_as_those_of_many_people() -> None:
    moments = [line.at for line in lines("breaking", 3600)]
    gaps = [later - earlier for earlier, later in itertools.pairwise(moments)]
    # The gaps of a Poisson process vary as much as they are long; those of a metronome don't.
    assert 0.9 < statistics.stdev(gaps) / statistics.mean(gaps) < 1.1


@pytest.mark.parametrize("size", sorted(BURSTS))
def test_a_burst_comes_in_one_moment_and_all_of_it_is_for_the_bot(size: int) -> None:
    found = schedule(BURSTS[size], 1, 1, username="clawd_bot", translate=True)
    assert len(found) == size
    assert {line.at for line in found} == {0.0}
    assert all(line.addressed for line in found)
    private = [line.user for line in found if line.chat is None]
    assert len(set(private)) == len(private)


def test_what_is_said_in_a_group_names_the_bot_exactly_when_it_is_meant_for_it() -> None:
    spoken = [line for line in lines() if line.chat is not None]
    assert {line.addressed for line in spoken} == {True, False}
    for line in spoken:
        assert ("@clawd_bot" in line.text) is line.addressed
        assert line.chat in groups_of(PROFILES["busy"])


def test_everything_in_private_is_for_the_bot() -> None:
    private = [line for line in lines() if line.chat is None]
    assert private
    assert all(line.addressed for line in private)


def test_everybody_who_writes_is_among_the_people() -> None:
    for profile in (*PROFILES.values(), *BURSTS.values()):
        found = schedule(profile, 60, 3, username="clawd_bot", translate=True)
        assert {line.user for line in found} <= set(people_of(profile))


def test_only_help_and_chatter_need_no_model() -> None:
    for line in lines():
        assert line.model is (line.addressed and not line.text.startswith("/help"))


def test_there_is_translation_only_where_its_plugin_is() -> None:
    assert any(line.text.startswith("/translate") for line in lines())
    without = lines(translate=False)
    assert not any(line.text.startswith("/translate") for line in without)
    assert any(line.text.startswith("/help") for line in without)


def test_texts_have_many_lengths_and_no_open_places() -> None:
    lengths = {len(line.text) for line in lines()}
    assert min(lengths) < 20
    assert max(lengths) > 400
    assert not any("{" in line.text for line in lines())
