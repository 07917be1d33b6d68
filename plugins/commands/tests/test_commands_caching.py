"""What the headers of an answer allow (RFC 9111), and the bounds of the memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdbot_commands.caching import Cache, Kept, keep, renew

DATE = "Fri, 02 Jan 2026 10:00:00 GMT"
LATER = "Fri, 02 Jan 2026 10:01:00 GMT"


@pytest.mark.parametrize(
    ("headers", "life"),
    [
        ({"cache-control": "max-age=60"}, 60),
        ({"cache-control": "public, MAX-AGE=60"}, 60),
        ({"cache-control": "max-age=60", "age": "20"}, 40),
        ({"cache-control": "s-maxage=1209600, max-age=300"}, 300),
        ({"expires": LATER, "date": DATE}, 60),
        ({"cache-control": "max-age=5", "expires": LATER, "date": DATE}, 5),
        ({"cache-control": "no-cache, max-age=60", "etag": '"a"'}, 0),
        ({"etag": '"a"'}, 0),
        ({"expires": "0", "date": DATE, "etag": '"a"'}, 0),
    ],
)
def test_how_long_an_answer_is_fresh(headers: dict[str, str], life: float) -> None:
    kept = keep({}, headers, 1000.0)
    assert kept is not None and kept.until == 1000.0 + life


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"cache-control": "no-store, max-age=60"},
        {"cache-control": "private, max-age=60"},
        {"cache-control": "max-age=60", "vary": "*"},
        {"cache-control": "max-age=0"},
        {"cache-control": "max-age=60", "age": "60"},
        {"cache-control": "max-age=soon"},
        {"expires": LATER},
    ],
)
def test_what_is_not_kept(headers: dict[str, str]) -> None:
    assert keep({}, headers, 0.0) is None


def test_a_304_brings_new_headers_and_leaves_the_others() -> None:
    kept = keep({"a": 1}, {"cache-control": "max-age=60", "etag": '"a"'}, 0.0, 10)
    assert kept is not None
    again = renew(kept, {"age": "0"}, 100.0)
    assert again is not None and (again.until, again.value, again.size) == (160.0, {"a": 1}, 10)
    assert again.conditions == {"If-None-Match": '"a"'}
    assert renew(kept, {"cache-control": "no-store"}, 100.0) is None


def entry(size: int) -> Kept:
    return Kept({}, 1.0, {}, size)


def test_the_one_used_longest_ago_goes_first() -> None:
    cache = Cache(2, 100)
    cache.put("a", entry(1))
    cache.put("b", entry(1))
    assert cache.get("a") is not None
    cache.put("c", entry(1))
    assert cache.get("b") is None and cache.get("a") is not None


@given(
    st.integers(0, 5),
    st.integers(0, 50),
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.none() | st.integers(0, 60)), max_size=40),
)
def test_never_more_entries_nor_bytes(
    entries: int, most: int, puts: list[tuple[str, int | None]]
) -> None:
    cache = Cache(entries, most)
    for key, size in puts:
        cache.put(key, None if size is None else entry(size))
        assert len(cache) <= entries and cache.size <= most
        held = [cache.get(name) for name in "abcdefgh"]
        assert cache.size == sum(kept.size for kept in held if kept is not None)
        if size is not None and entries and size <= most:
            assert cache.get(key) is not None
