"""Which update a worker gets next, and what a worker's death means."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from clawdcore.broker import Outcome
from clawdcore.edge.heads import Head
from clawdcore.edge.work import LATER, POISON, TRIAL, Death, Held, Work


def held(number: int, chat: int = 1) -> Held:
    return Held(id=number, head=Head(chat=chat, wanted=True), body=b"x")


def work(*numbers: int, chat: int = 1, window: int = 100) -> Work:
    made = Work(window=window)
    made.attach(1)
    for number in numbers:
        made.add(held(number, chat))
    return made


def given(made: Work, now: float = 0.0) -> list[int]:
    ids = []
    while (each := made.next(now)) is not None:
        ids.append(each.id)
    return ids


def test_updates_go_out_in_order_and_within_the_window() -> None:
    made = work(3, 1, 2, window=2)
    assert given(made) == [3, 1]
    made.done(3, Outcome.ANSWERED)
    assert given(made) == [2]


def test_nobody_gets_anything_while_there_is_no_worker() -> None:
    made = work(1)
    made.detach()
    assert given(made) == []
    made.attach(2)
    assert given(made) == [1]


def test_what_a_killed_worker_had_goes_to_the_next_one_in_order() -> None:
    made = work(1, 2, 3)
    given(made)
    made.started(2, "p")
    made.done(1, Outcome.ANSWERED)
    loss = made.died(1, Death.KILLED)
    assert (loss.finished, loss.poison, loss.culprit) == ((), (), "")
    made.attach(2)
    assert given(made) == [2, 3]
    two, three = made.get(2), made.get(3)
    assert two is not None and three is not None
    assert (two.attempt, two.crashes, three.attempt) == (2, 0, 1)


def test_an_update_whose_reply_was_handed_over_is_not_done_again() -> None:
    made = work(1, 2)
    given(made)
    first = made.started(1, "p")
    assert first is not None
    first.replied = True
    loss = made.died(1, Death.CRASHED)
    assert [(each.id, each.outcome) for each in loss.finished] == [(1, Outcome.ANSWERED)]
    made.attach(2)
    assert given(made) == [2]


def test_after_a_crash_the_started_ones_are_tried_alone() -> None:
    made = work(1, 2, 3, 4)
    given(made)
    made.started(1, "a")
    made.started(3, "b")
    assert made.died(1, Death.CRASHED).culprit == ""
    made.attach(2)
    assert given(made) == [1]
    made.done(1, Outcome.ANSWERED)
    assert given(made) == [3]
    made.started(3, "b")
    loss = made.died(2, Death.CRASHED)
    assert (loss.culprit, loss.poison) == ("b", ())
    made.attach(3)
    assert given(made) == [3]
    made.started(3, "b")
    loss = made.died(3, Death.CRASHED)
    assert (loss.culprit, [each.id for each in loss.poison]) == ("b", [3])
    made.attach(4)
    assert given(made) == [2, 4]


def test_a_long_trial_ends_and_the_others_go_on() -> None:
    made = work(1, 2, 3)
    given(made)
    made.started(1, "")
    made.started(2, "")
    made.died(1, Death.STALLED)
    made.attach(2)
    assert given(made) == [1]
    assert made.ask_again() == TRIAL
    made.started(1, "slow")
    assert given(made, TRIAL) == [2]
    made.started(2, "slow")
    # Two of them: nobody knows who it was.
    loss = made.died(2, Death.STALLED)
    assert (loss.culprit, loss.poison) == ("", ())


def test_where_it_was_seen_whose_code_it_was_the_others_go_on_at_once() -> None:
    made = work(1, 2, 3, 4)
    given(made)
    for update, plugin in ((1, "good"), (2, "bad"), (3, "good")):
        made.started(update, plugin)
    loss = made.died(1, Death.STALLED, "bad")
    assert (loss.culprit, loss.poison) == ("bad", ())
    made.attach(2)
    assert given(made, 10.0) == [1, 3, 4]
    assert made.ask_again() == 10.0 + LATER
    made.add(held(5))
    assert given(made, 10.0 + LATER / 2) == [5]
    assert given(made, 10.0 + LATER) == [2]
    made.started(2, "bad")
    loss = made.died(2, Death.CRASHED, "bad")
    assert [each.id for each in loss.poison] == [2]


def test_several_of_the_plugin_that_was_seen_are_none_of_them_poison() -> None:
    made = work(1, 2, 3)
    given(made)
    for update, plugin in ((1, "bad"), (2, "bad"), (3, "good")):
        made.started(update, plugin)
    for worker in (1, 2, 3):
        loss = made.died(worker, Death.CRASHED, "bad")
        assert (loss.culprit, loss.poison) == ("bad", ())
        made.attach(worker + 1)
        first = given(made, 0.0)
        assert 3 in first or worker > 1
        assert given(made, LATER) == [1, 2]
        for update in (1, 2):
            made.started(update, "bad")


def test_a_plugin_that_was_seen_without_a_message_costs_no_message_anything() -> None:
    made = work(1, 2)
    given(made)
    made.started(1, "good")
    loss = made.died(1, Death.CRASHED, "background")
    assert (loss.culprit, loss.poison, len(loss.again)) == ("background", (), 2)
    made.attach(2)
    assert given(made) == [1, 2]


def test_a_suspect_whose_worker_was_killed_stays_one_and_is_not_blamed() -> None:
    made = work(1, 2)
    given(made)
    made.started(1, "p")
    made.died(1, Death.CRASHED)
    for worker in range(2, 6):
        made.attach(worker)
        assert given(made)[0] == 1
        made.started(1, "p")
        assert made.died(worker, Death.KILLED).poison == ()
    one = made.get(1)
    assert one is not None
    assert one.crashes == 1 < POISON


def test_during_a_swap_no_chat_is_with_both_workers() -> None:
    made = work(1, chat=7)
    given(made)
    made.attach(2)
    made.add(held(2, chat=7))
    made.add(held(3, chat=8))
    made.add(held(4, chat=7))
    assert given(made) == [3]
    made.done(1, Outcome.ANSWERED)
    assert given(made) == [2, 4]


def test_parked_updates_go_on_when_the_old_worker_dies() -> None:
    made = work(1, chat=7)
    given(made)
    made.attach(2)
    made.add(held(2, chat=7))
    assert given(made) == []
    made.died(1, Death.KILLED)
    assert given(made) == [1, 2]


class Books(RuleBasedStateMachine):
    """Whatever happens, every update is with one worker at most, and each ends once."""

    @initialize()
    def begin(self) -> None:
        self.work = Work(window=3)
        self.now = 0.0
        self.next_id = 1
        self.worker = 1
        self.alive = [1]
        self.work.attach(1)
        self.given: dict[int, int] = {}
        self.ended: set[int] = set()

    @rule(chat=st.integers(1, 3))
    def accept(self, chat: int) -> None:
        self.work.add(held(self.next_id, chat))
        self.next_id += 1

    @rule(seconds=st.sampled_from([0.0, 1.0, TRIAL]))
    def feed(self, seconds: float) -> None:
        self.now += seconds
        each = self.work.next(self.now)
        if each is not None:
            assert each.id not in self.given and each.id not in self.ended
            assert each.worker == self.worker
            chats = {
                made.head.chat
                for update, worker in self.given.items()
                if worker != self.worker and (made := self.work.get(update)) is not None
            }
            assert each.head.chat not in chats
            self.given[each.id] = self.worker

    @precondition(lambda self: self.given)
    @rule(pick=st.integers(0, 99), plugin=st.sampled_from(["a", "b"]))
    def start(self, pick: int, plugin: str) -> None:
        update = sorted(self.given)[pick % len(self.given)]
        assert self.work.started(update, plugin) is not None

    @precondition(lambda self: self.given)
    @rule(pick=st.integers(0, 99))
    def finish(self, pick: int) -> None:
        update = sorted(self.given)[pick % len(self.given)]
        assert self.work.done(update, Outcome.ANSWERED) is not None
        self.work.close(update)
        del self.given[update]
        self.ended.add(update)

    @rule(
        how=st.sampled_from(list(Death)),
        pick=st.integers(0, 1),
        seen=st.sampled_from(["", "a", "b", "c"]),
    )
    def die(self, how: Death, pick: int, seen: str) -> None:
        worker = self.alive[pick % len(self.alive)]
        self.alive.remove(worker)
        loss = self.work.died(worker, how, seen)
        self.given = {u: w for u, w in self.given.items() if w != worker}
        for each in (*loss.poison, *loss.finished):
            self.work.close(each.id)
            self.ended.add(each.id)
        if not self.alive or worker == self.worker:
            self.attach()

    @precondition(lambda self: len(self.alive) < 2)
    @rule()
    def swap(self) -> None:
        self.attach()

    def attach(self) -> None:
        self.worker = max(self.worker, *self.alive, 0) + 1 if self.alive else self.worker + 1
        self.alive.append(self.worker)
        self.work.attach(self.worker)

    @invariant()
    def nothing_is_lost(self) -> None:
        if hasattr(self, "work"):
            assert len(self.work) == self.next_id - 1 - len(self.ended)

    def teardown(self) -> None:
        if not hasattr(self, "work"):
            return
        for worker in list(self.alive):
            if worker != self.worker:
                self.work.died(worker, Death.KILLED)
                self.given = {u: w for u, w in self.given.items() if w != worker}
        for _ in range(3 * self.next_id):
            for update in list(self.given):
                self.finish(sorted(self.given).index(update))
            self.feed(TRIAL)
        assert len(self.work) == 0, "an update was never given again"


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
