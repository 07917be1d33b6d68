"""The one setting to change, from the numbers alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdcore.cli.rehearse_advice import Advice, Settings, advise
from clawdcore.cli.rehearse_measure import Result
from clawdcore.cli.rehearse_pressure import Pressure

GOAL = 0.985


def result(in_time: int = 90, **more: Any) -> Result:
    values: dict[str, Any] = {
        "sent": 110,
        "addressed": in_time + sum(more.get(name, 0) for name in ("late", "refused", "failed")),
        "in_time": in_time,
        "answered": in_time,
        "late": 0,
        "refused": 0,
        "failed": 0,
        "lost": 0,
        "open": 0,
        "seconds": 60.0,
        "mean": 5.0,
        "p50": 4.0,
        "p99": 20.0,
        "private_mean": 5.0,
        "group_mean": 5.0,
        "late_groups": 0,
        "etas": None,
        "group_peak": 4,
        "turned_away": 0,
        "in_flight": 7.5,
    }
    return Result(**{**values, **more})


def pressure(**more: Any) -> Pressure:
    values: dict[str, Any] = {
        "server": "vllm",
        "limit": 32,
        "ceiling": 32,
        "bound": 128,
        "replicas": 1,
        "finished": 60,
        "refused": {},
        "most_waiting": 100,
        "waited": 0.8,
        "at_ceiling": 0.0,
        "at_limit": 1.0,
        "inside": 0.0,
        "load": 60.0,
    }
    return Pressure(**{**values, **more})


def settings(**more: Any) -> Settings:
    values: dict[str, Any] = {
        "model": "vllm/big",
        "base_urls": 1,
        "total": 60.0,
        "group_per_minute": 20.0,
    }
    return Settings(**{**values, **more})


def test_a_goal_that_is_met_changes_nothing() -> None:
    assert advise(result(refused=1), GOAL, pressure(), settings()).setting == ""
    assert "met" in advise(result(), 1.0, pressure(), settings()).why


def test_what_is_lost_is_a_bug_and_not_a_setting() -> None:
    found = advise(result(1000, lost=1), GOAL, pressure(), settings())
    assert "report" in found.why
    assert found.setting == ""


def test_a_full_queue_of_what_could_have_been_answered_in_time_should_be_longer() -> None:
    # 300 were done in 60 s, so that 300 can wait and still be answered within 60 s.
    found = advise(
        result(refused=20), GOAL, pressure(finished=300, refused={"full": 20}), settings()
    )
    assert (found.setting, found.present, found.proposed) == (
        "gateway.requestQueueSize",
        "128",
        "300",
    )


def test_a_full_queue_while_seats_are_free_should_be_longer() -> None:
    found = advise(
        result(refused=20),
        GOAL,
        pressure(bound=4, at_limit=0.1, finished=1, refused={"full": 20}),
        settings(),
    )
    assert (found.setting, found.proposed) == ("gateway.requestQueueSize", "8")


def test_a_full_queue_of_a_server_that_is_too_slow_should_not() -> None:
    found = advise(result(refused=20), GOAL, pressure(refused={"full": 20}), settings())
    assert found.setting == "models.providers.vllm.baseUrls"
    assert (found.present, found.proposed.split(" (")[0]) == ("1 address", "2 addresses")


def test_the_ceiling_of_a_server_that_has_room_should_be_higher() -> None:
    found = advise(
        result(refused=20), GOAL, pressure(at_ceiling=0.9, refused={"late": 20}), settings()
    )
    assert (found.setting, found.present, found.proposed) == (
        "gateway.maxConcurrentRequests",
        "32",
        "64",
    )


def test_the_ceiling_of_a_server_that_has_a_queue_inside_should_not() -> None:
    found = advise(
        result(late=20),
        GOAL,
        pressure(at_ceiling=0.9, inside=0.6, refused={"late": 20}),
        settings(),
    )
    assert found.setting == "models.providers.vllm.baseUrls"


def test_a_model_inside_the_bot_has_no_replicas() -> None:
    found = advise(
        result(refused=20),
        GOAL,
        pressure(server="llamacpp", limit=2, at_ceiling=0.9, refused={"late": 20}),
        settings(model="llamacpp/small", base_urls=0),
    )
    assert (found.setting, found.present) == ("agents.defaults.model", "llamacpp/small")


def test_what_telegram_holds_back_in_groups_no_setting_helps() -> None:
    found = advise(
        result(late=20, late_groups=19, group_peak=20, group_mean=70.0),
        GOAL,
        pressure(waited=0.0),
        settings(),
    )
    assert found.setting == ""
    assert "Telegram takes 20 messages a minute" in found.why
    assert found.line().endswith("Nothing to change.")


@pytest.mark.parametrize(
    "more", [{"late_groups": 3}, {"group_peak": 10}, {"private_mean": 50.0}], ids=str
)
def test_telegram_is_not_blamed_for_what_is_late_elsewhere(more: dict[str, Any]) -> None:
    values = {"late": 20, "late_groups": 19, "group_peak": 20, **more}
    assert advise(result(**values), GOAL, pressure(), settings()).setting != ""


def test_slow_answers_without_a_queue_need_a_faster_model() -> None:
    found = advise(result(late=20, mean=58.0), GOAL, pressure(waited=0.0), settings())
    assert found.setting == "agents.defaults.model"
    assert "58.0 s of the 60 s" in found.why
    assert advise(result(late=20), GOAL, None, settings()).setting == "agents.defaults.model"


def test_a_server_that_fails_is_named() -> None:
    found = advise(result(0, failed=9, late=2), GOAL, pressure(), settings())
    assert found.setting == "models.providers.vllm.baseUrls"
    inside = advise(result(0, failed=9), GOAL, pressure(), settings(base_urls=0))
    assert inside.setting == "agents.defaults.model"


def test_without_messages_there_is_nothing_to_say() -> None:
    assert advise(result(0), GOAL, None, settings()).setting == ""


def test_an_advice_is_one_sentence_with_both_values() -> None:
    line = Advice("It was full.", "gateway.requestQueueSize", "128", "256").line()
    assert line == "It was full. Change gateway.requestQueueSize from 128 to 256."


counts = st.integers(0, 200)
share = st.floats(0, 1)


@given(
    numbers=st.fixed_dictionaries(
        {"late": counts, "refused": counts, "failed": counts, "group_peak": counts}
    ),
    in_time=counts,
    crowd=st.fixed_dictionaries(
        {
            "waited": share,
            "at_ceiling": share,
            "at_limit": share,
            "inside": share,
            "bound": st.integers(1, 100_000),
            "ceiling": st.integers(1, 4096),
            "finished": counts,
            "refused": st.dictionaries(st.sampled_from(["full", "late", "slow"]), counts),
        }
    ),
    base_urls=st.integers(0, 3),
)
def test_a_goal_that_is_missed_always_gets_a_change_that_is_one(
    numbers: dict[str, int], in_time: int, crowd: dict[str, Any], base_urls: int
) -> None:
    found = advise(
        result(in_time, **numbers), 1.0, pressure(**crowd), settings(base_urls=base_urls)
    )
    missed = numbers["late"] + numbers["refused"] + numbers["failed"] > 0
    assert bool(found.setting) is missed
    assert not found.setting or found.present != found.proposed
    if found.setting == "gateway.requestQueueSize":
        assert crowd["bound"] < int(found.proposed) <= 100_000
    if found.setting == "gateway.maxConcurrentRequests":
        assert crowd["ceiling"] < int(found.proposed) <= 4096
