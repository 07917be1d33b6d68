"""The simulated engine: batches, order, cache and books."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulator.engine import BLOCK, Engine, Full, Parameters, Sequence

FAST = Parameters(a=1.0, b=0.0, c=0.0, max_sequences=2, blocks=64)


def play(engine: Engine, steps: int = 100_000) -> tuple[float, list[Sequence]]:
    """Until nothing is left to do; when that was, and who finished in which order."""
    now, done = 0.0, []
    for _ in range(steps):
        seconds, wrote = engine.step(now)
        if not seconds:
            return now, done
        now += seconds
        done += [each for each in wrote if each.over]
    raise AssertionError("it never ends")


def test_a_token_a_step_for_each_that_runs() -> None:
    engine = Engine(FAST)
    for _ in range(2):
        engine.add(10, 5, 0, 0.0)
    now, done = play(engine)
    assert now == 5.0  # the step that reads a prompt writes the first token
    assert [each.written for each in done] == [5, 5]
    assert [each.first for each in done] == [1.0, 1.0]


def test_what_a_step_takes() -> None:
    engine = Engine(Parameters(a=1.0, b=0.1, c=0.01, max_sequences=4))
    engine.add(50, 2, 0, 0.0)
    engine.add(30, 2, 0, 0.0)
    assert engine.step(0.0)[0] == pytest.approx(1.0 + 2 * 0.1 + 80 * 0.01)
    assert engine.step(2.0)[0] == pytest.approx(1.0 + 2 * 0.1)


def test_a_long_prompt_is_read_in_parts_while_others_write() -> None:
    engine = Engine(Parameters(a=1.0, b=0.0, c=0.0, max_batched_tokens=100, context=4096))
    short = engine.add(10, 50, 0, 0.0)
    engine.step(0.0)
    long = engine.add(500, 1, 0, 1.0)
    steps = 0
    while not long.over:
        before = short.written
        engine.step(1.0 + steps)
        assert short.written == before + 1
        steps += 1
    assert steps == 6  # 99 tokens a step beside the one that is written


def test_the_lower_number_goes_first_and_equals_in_order() -> None:
    engine = Engine(Parameters(a=1.0, b=0.0, c=0.0, max_sequences=1))
    first = engine.add(1, 3, 5, 0.0)
    engine.step(0.0)
    low, high, later = (engine.add(1, 1, priority, 1.0) for priority in (9, 0, 9))
    assert play(engine)[1] == [first, high, low, later]


def test_without_priorities_only_the_order_counts() -> None:
    engine = Engine(Parameters(a=1.0, b=0.0, c=0.0, max_sequences=1, by_priority=False))
    sequences = [engine.add(1, 1, priority, 0.0) for priority in (9, 0, 5)]
    assert play(engine)[1] == sequences


def test_the_queues_bound_counts_those_that_run_too() -> None:
    engine = Engine(Parameters(max_sequences=1, most_queued=2))
    for _ in range(2):
        engine.add(1, 10, 0, 0.0)
        engine.step(0.0)
    with pytest.raises(Full):
        engine.add(1, 1, 0, 0.0)


def test_out_of_cache_the_latest_of_the_lowest_class_starts_anew() -> None:
    engine = Engine(Parameters(a=1.0, b=0.0, c=0.0, max_sequences=4, blocks=5))
    urgent = engine.add(BLOCK, 40, 0, 0.0)
    other = engine.add(BLOCK, 40, 1, 0.0)
    _, done = play(engine)
    assert done == [urgent, other]
    assert engine.counters.preemptions >= 1
    assert (urgent.written, other.written) == (40, 40)
    assert engine.cache_use == 0


Ask = st.tuples(st.integers(1, 60), st.integers(1, 30), st.integers(0, 3), st.integers(0, 20))


@given(
    st.lists(Ask, max_size=25),
    st.sets(st.integers(0, 24)),
    st.integers(1, 5),
    st.integers(8, 40),
    st.integers(8, 128),
)
def test_whatever_is_asked_the_books_balance(
    asks: list[tuple[int, int, int, int]],
    aborted: set[int],
    sequences: int,
    blocks: int,
    batch: int,
) -> None:
    parameters = Parameters(
        a=1.0, b=0.0, c=0.0, max_sequences=sequences, blocks=blocks, max_batched_tokens=batch
    )
    engine = Engine(parameters)
    roomy = blocks >= sum((prompt + output) // BLOCK + 1 for prompt, output, _, _ in asks)
    asked = sorted(enumerate(asks), key=lambda each: each[1][3])
    there: list[Sequence] = []
    gone = set()
    now = 0.0
    while asked or engine.running or engine.waiting:
        while asked and asked[0][1][3] <= now:
            number, (prompt, output, priority, _) = asked.pop(0)
            there.append(engine.add(prompt, output, priority, now))
            if number in aborted:
                gone.add(id(there[-1]))
        seconds, wrote = engine.step(now)
        if not seconds:
            now = asked[0][1][3] if asked else now
            continue
        ran = len(engine.running) + sum(each.over for each in wrote)
        assert ran <= sequences
        if engine.waiting and roomy:
            assert ran == sequences  # work conserving
        assert engine.cache_use == pytest.approx(
            sum(each.blocks for each in engine.running) / blocks
        )
        now += seconds
        for each in there:
            if id(each) in gone and not each.over and each.written:
                engine.abort(each)
    assert engine.cache_use == 0
    assert engine.counters.finished + engine.counters.aborted == len(asks)
    for each in there:
        if id(each) not in gone:
            assert each.written == each.output
    assert engine.counters.generation_tokens == sum(each.written for each in there)
