"""What requests are expected to take."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdcore.admission.ask import Ask
from clawdcore.admission.estimates import ENOUGH, UNKNOWN_OUTPUT, Estimates, weigh
from clawdcore.backend import Priority

DIRECT = Priority.DIRECT


def test_an_answer_is_guessed_until_one_was_seen_and_never_above_what_was_asked() -> None:
    estimates = Estimates()
    assert estimates.cost(Ask(prompt_tokens=100)) == weigh(100, UNKNOWN_OUTPUT)
    assert estimates.cost(Ask(prompt_tokens=100, output_tokens=10)) == weigh(100, 10)
    estimates.observe(DIRECT, 100, 50, 1.0)
    assert estimates.cost(Ask(prompt_tokens=100, output_tokens=500)) == weigh(100, 50)
    other = Ask(priority=Priority.MEDIA, prompt_tokens=100)
    assert estimates.cost(other) == weigh(100, 50)  # as other classes', until one was seen


def test_a_request_costs_at_least_one() -> None:
    estimates = Estimates()
    estimates.observe(DIRECT, 0, 0, 1.0)
    assert estimates.cost(Ask()) == 1.0


def test_nothing_is_claimed_before_enough_was_seen() -> None:
    estimates = Estimates()
    for _ in range(ENOUGH - 1):
        estimates.observe(DIRECT, 100, 100, 2.0)
    assert (estimates.known, estimates.rate(8), estimates.service(300)) == (False, 0.0, 0.0)
    estimates.observe(DIRECT, 100, 100, 2.0)
    assert estimates.known
    assert estimates.rate(8) == pytest.approx(8 * 300 / 2)
    assert estimates.service(300) >= 2.0


def test_the_rate_is_that_of_a_busy_server_within_a_tenth() -> None:
    """Seats always taken, so that what is done over time is the true rate."""
    random = Random(5)
    estimates = Estimates()
    done, ends, seats = 0.0, [0.0] * 8, 8
    rates = []
    for _ in range(5_000):
        prompt, output = random.randint(50, 350), random.lognormvariate(4.8, 0.6)
        seconds = (0.0005 * prompt + 0.02 * output) * random.uniform(0.8, 1.2)
        seat = ends.index(min(ends))
        ends[seat] += seconds
        done += weigh(prompt, output)
        estimates.observe(DIRECT, prompt, output, seconds)
        rates.append(estimates.rate(seats))
    true = done / min(ends)
    assert sum(rates[100:]) / len(rates[100:]) == pytest.approx(true, rel=0.1)
    near = sum(abs(rate - true) <= 0.2 * true for rate in rates[100:]) / len(rates[100:])
    assert near >= 0.95


def test_few_run_longer_than_foretold() -> None:
    random = Random(6)
    estimates = Estimates()
    longer = 0
    for n in range(5_000):
        ask = Ask(prompt_tokens=random.randint(50, 350))
        output = random.lognormvariate(4.8, 0.6)
        seconds = 0.0005 * ask.prompt_tokens + 0.02 * output
        expected = estimates.cost(ask)
        longer += n >= 100 and seconds > estimates.service(expected)
        estimates.observe(DIRECT, ask.prompt_tokens, output, seconds, expected=expected)
    assert longer / 4_900 <= 0.03


def test_where_costs_are_known_hardly_any_reserve_is_kept() -> None:
    estimates = Estimates()
    for n in range(200):
        cost = 100.0 + n % 7 * 100
        estimates.observe(DIRECT, cost, 0, cost / 100, expected=cost)
    assert estimates.service(500) == pytest.approx(5.0, rel=0.05)


@pytest.mark.parametrize("wrong", [0.001, 1000.0])
def test_bad_early_measurements_are_forgotten(wrong: float) -> None:
    estimates = Estimates()
    for _ in range(ENOUGH):
        estimates.observe(DIRECT, 100, 100, 2.0 * wrong, expected=300)
    for _ in range(250):
        estimates.observe(DIRECT, 100, 100, 2.0, expected=300)
    assert estimates.rate(8) == pytest.approx(8 * 300 / 2, rel=0.1)
    assert estimates.service(300) == pytest.approx(2.0, rel=0.3)


seen = st.tuples(st.floats(0, 1e5), st.floats(0, 1e5), st.floats(0, 1e4), st.floats(1, 1e6))


@given(st.lists(seen, max_size=40))
def test_every_figure_is_finite_and_not_negative(
    observed: list[tuple[float, float, float, float]],
) -> None:
    estimates = Estimates()
    for prompt, output, seconds, expected in observed:
        estimates.observe(DIRECT, prompt, output, seconds, expected=expected)
    for figure in (estimates.rate(4), estimates.service(1000), estimates.usual):
        assert 0 <= figure < float("inf")
