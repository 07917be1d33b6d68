from __future__ import annotations

import os
from pathlib import Path

from clawdcore.cli.watching import Stamp, Watch, stamp


class Looks:
    def __init__(self, *states: Stamp | None) -> None:
        self.states = list(states)

    def __call__(self) -> Stamp | None:
        return self.states.pop(0)


OLD, HALF, NEW = (1, 10, 1), (2, 4, 1), (2, 12, 1)


def test_a_file_that_stays_as_it_was_is_not_read_again() -> None:
    watch = Watch(Looks(OLD, OLD, OLD))
    assert [watch.edited(), watch.edited()] == [False, False]


def test_a_new_state_counts_once_and_only_when_it_stays() -> None:
    watch = Watch(Looks(OLD, HALF, NEW, NEW, NEW))
    assert [watch.edited() for _ in range(4)] == [False, False, True, False]


def test_a_file_that_is_taken_away_for_a_moment_counts_when_it_is_back() -> None:
    watch = Watch(Looks(OLD, None, None, NEW, NEW))
    assert [watch.edited() for _ in range(4)] == [False, False, False, True]


def test_one_that_is_back_as_it_was_is_not_read_again() -> None:
    watch = Watch(Looks(OLD, None, None, OLD, OLD))
    assert [watch.edited() for _ in range(4)] == [False] * 4


def test_what_somebody_else_had_read_is_not_read_again() -> None:
    watch = Watch(Looks(OLD, NEW, NEW, NEW, NEW))
    assert not watch.edited()
    watch.taken()
    assert [watch.edited(), watch.edited()] == [False, False]


def test_the_stamp_tells_edits_of_the_same_length_and_replaced_files(tmp_path: Path) -> None:
    file = tmp_path / "clawdbot.json"
    assert stamp(None) is stamp(file) is None
    file.write_text("one")
    os.utime(file, ns=(1, 1))
    first = stamp(file)
    other = tmp_path / "new"
    other.write_text("two")
    os.utime(other, ns=(1, 1))
    other.replace(file)
    second = stamp(file)
    os.utime(file, ns=(1, 2))
    assert len({first, second, stamp(file)}) == 3
