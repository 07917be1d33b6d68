"""What workers asked to be kept: the latest of each key, and never more than allowed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clawdcore.broker import Remember, Remembered
from clawdcore.edge.remembered import Memory


def test_the_latest_value_of_a_key_is_kept_by_plugin() -> None:
    memory = Memory()
    memory.take(Remember("chat", "7", b"one"))
    memory.take(Remember("quiz", "7", b"other"))
    memory.take(Remember("chat", "7", b"two!"))
    assert memory.all() == [Remembered("quiz", "7", b"other"), Remembered("chat", "7", b"two!")]
    assert memory.bytes == len(b"other" + b"two!")


def test_none_forgets_and_an_empty_value_is_one() -> None:
    memory = Memory()
    memory.take(Remember("chat", "7", b"one"))
    memory.take(Remember("chat", "8", b""))
    memory.take(Remember("chat", "7", None))
    memory.take(Remember("chat", "9", None))
    assert memory.all() == [Remembered("chat", "8", b"")]
    assert (len(memory), memory.bytes) == (1, 0)


def test_what_was_kept_longest_goes_first() -> None:
    memory = Memory(size=10)
    for key in ("a", "b", "c"):
        memory.take(Remember("chat", key, b"xxx"))
    memory.take(Remember("chat", "a", b"yyy"))
    memory.take(Remember("chat", "d", b"zzzz"))
    assert [each.key for each in memory.all()] == ["c", "a", "d"]


def test_one_that_is_larger_than_everything_is_not_kept() -> None:
    memory = Memory(size=10)
    memory.take(Remember("chat", "a", b"x" * 11))
    assert (memory.all(), memory.bytes) == ([], 0)


KEYS = st.sampled_from(["a", "b", "c", "d"])
RECORDS = st.builds(Remember, KEYS, KEYS, st.none() | st.binary(max_size=30))


@given(records=st.lists(RECORDS, max_size=60), size=st.integers(0, 80))
def test_bounded_exact_and_always_the_latest(records: list[Remember], size: int) -> None:
    memory = Memory(size=size)
    latest: dict[tuple[str, str], bytes | None] = {}
    for record in records:
        memory.take(record)
        latest[record.plugin, record.key] = record.body
        kept = memory.all()
        assert memory.bytes == sum(len(each.body) for each in kept) <= size
        assert len(kept) == len(memory)
        assert all(latest[each.plugin, each.key] == each.body for each in kept)
