"""Plans by due time: none is lost, none comes twice, and rhythms stay."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clawdcore.broker import Plan
from clawdcore.edge.plans import Plans, next_due

TIMES = st.floats(0, 2e9)
RHYTHMS = st.floats(1, 1e8)


@given(TIMES, RHYTHMS, TIMES)
def test_the_next_time_is_soon_after_now(due: float, every: float, now: float) -> None:
    following = next_due(due, every, now)
    assert following is not None
    assert following > now
    assert following <= max(now, due) + 2 * every


def test_missed_times_are_not_made_up_for_and_the_rhythm_stays() -> None:
    assert next_due(100, 10, 100) == 110
    assert next_due(100, 10, 139) == 140
    assert next_due(100, 10, 140) == 150
    assert next_due(100, 0, 140) is None


def test_a_single_call_is_out_until_called_and_then_over() -> None:
    plans = Plans()
    plan = Plan("p", "a", due=10.0)
    assert plans.add(plan) is plan
    assert plans.next_time() == 10
    assert plans.due(9.9) == []
    [due] = plans.due(10)
    assert (due.plugin, due.name, due.planned) == ("p", "a", 10)
    assert plans.due(11) == []
    assert plans.next_time() is None
    assert plans.called(due.id, 11) == Plan("p", "a", due=None)
    assert plans.called(due.id, 11) is None
    assert len(plans) == 0


def test_a_worker_that_died_leaves_its_calls_due() -> None:
    plans = Plans()
    plans.add(Plan("p", "a", due=10.0))
    [first] = plans.due(10)
    plans.requeue(first.id)
    [second] = plans.due(10)
    assert (second.name, second.id == first.id) == ("a", False)
    assert plans.called(first.id, 11) is None


def test_a_rhythm_planned_again_keeps_its_time_and_another_one_replaces_it() -> None:
    plans = Plans()
    plans.add(Plan("p", "a", due=10.0, every=10.0))
    assert plans.add(Plan("p", "a", due=15.0, every=10.0)) is None
    assert plans.next_time() == 10
    assert plans.add(Plan("p", "a", due=15.0, every=20.0)) is not None
    assert plans.next_time() == 15


def test_what_is_planned_or_cancelled_during_its_call_holds() -> None:
    plans = Plans()
    plans.add(Plan("p", "a", due=10.0, every=10.0))
    [due] = plans.due(10)
    plans.add(Plan("p", "a", due=12.0))
    assert plans.due(12) == [], "never twice at once"
    assert plans.called(due.id, 12) is None
    [due] = plans.due(12)
    plans.add(Plan("p", "a"))
    assert plans.called(due.id, 13) is None
    assert len(plans) == 0


def test_only_so_many_are_out_and_the_rest_follows() -> None:
    plans = Plans(out=2)
    for chat in range(5):
        plans.add(Plan("p", "a", chat, due=1.0))
    seen = 0
    while found := plans.due(5):
        assert len(found) <= 2
        assert plans.out == len(found)
        for due in found:
            plans.called(due.id, 5)
        seen += len(found)
    assert seen == 5


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["add", "every", "cancel", "due", "called", "requeue"]),
            st.integers(0, 3),
            st.integers(1, 9),
        )
    )
)
def test_whatever_happens_every_plan_comes_once_it_is_due(
    steps: list[tuple[str, int, int]],
) -> None:
    plans = Plans(out=3)
    held: dict[int, int] = {}
    now = 0.0
    for what, chat, number in steps:
        now += number
        if what in ("add", "every"):
            plans.add(Plan("p", "a", chat, 0, now + number, number if what == "every" else 0))
        elif what == "cancel":
            plans.add(Plan("p", "a", chat))
        elif what == "due":
            for due in plans.due(now):
                assert due.planned <= now
                assert due.chat not in held.values(), "twice at once"
                held[due.id] = due.chat
        elif what == "called" and held:
            id = min(held)
            del held[id]
            plans.called(id, now)
        elif what == "requeue":
            plans.requeue(*held)
            held.clear()
        assert plans.out == len(held) <= 3
    plans.requeue(*held)
    late = now + 100
    came = set()
    while found := plans.due(late):
        came |= {due.chat for due in found}
        for due in found:
            plans.called(due.id, late)
    waiting = {chat for chat in range(4) if ("p", "a", chat, 0) in plans._plans}
    assert waiting <= came
    assert (plans.next_time() is None) == (len(plans) == 0)
