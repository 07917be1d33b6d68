"""What holds whatever happens to the queue: found by trying to break it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from clawdcore.admission.accounts import KEPT
from clawdcore.admission.ask import Ask
from clawdcore.admission.lane import Waiter
from clawdcore.admission.promises import MOST
from clawdcore.admission.queue import AGING, AdmissionQueue, Refusal
from clawdcore.admission.seats import CONTROL_SEATS, Running, kept_free
from clawdcore.backend import Priority

CONTROL, DIRECT, GROUP, MEDIA = Priority


class AnyQueue(RuleBasedStateMachine):
    """Everything that may happen to a queue, beside a plain account of who is where.

    Work conserving means: after ``next`` gave nobody, no class that waits may start,
    where seats kept free for the classes above count as taken.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.queue = AdmissionQueue(limit=4, bound=6, budget=20.0)
        self.waiting: dict[int, Waiter] = {}
        self.running: list[Running] = []
        self.ends: dict[int, str] = {}
        self.offered = 0
        self.idle = False
        self.higher = dict.fromkeys(Priority, 0)

    # ---- what happens ----

    @rule(
        priority=st.sampled_from(Priority),
        chat=st.sampled_from("abcd"),
        sender=st.sampled_from("xy"),
        prompt=st.integers(0, 300),
        output=st.integers(0, 300),
        time=st.none() | st.floats(-1, 30),
        later=st.sampled_from([False, False, False, True]),
    )
    def offer(
        self,
        priority: Priority,
        chat: str,
        sender: str,
        prompt: int,
        output: int,
        time: float | None,
        later: bool,
    ) -> None:
        ask = Ask(
            priority=priority,
            chat=chat,
            sender=sender,
            prompt_tokens=prompt,
            output_tokens=output,
            deadline=None if time is None else self.now + time,
            later=later,
        )
        before = dict(self.waiting)
        waiter, refused = self.queue.offer(ask, self.now)
        self.offered += 1
        self.waiting[waiter.number] = waiter
        self.idle = False
        for refusal in refused:
            if refusal.reason == "full":
                self.check_victim(waiter, refusal.waiter, before)
        self.refuse(refused)
        assert len(refused) <= 1

    def check_victim(self, newcomer: Waiter, victim: Waiter, before: dict[int, Waiter]) -> None:
        usual = [each for each in before.values() if not each.ask.later]
        if not newcomer.ask.later:
            usual.append(newcomer)
        if not usual:
            assert victim is newcomer
            return
        assert not victim.ask.later
        assert victim.ask.priority == max(each.ask.priority for each in usual)
        queued: dict[str, float] = {}
        for each in usual:
            if each.ask.priority == victim.ask.priority:
                queued[each.ask.chat] = queued.get(each.ask.chat, 0.0) + each.cost
        most = max(queued.values())
        assert abs(queued[victim.ask.chat] - most) < 1e-6 * most
        if victim is newcomer:
            others = [cost for chat, cost in queued.items() if chat != newcomer.ask.chat]
            assert all(queued[newcomer.ask.chat] >= cost - 1e-6 * cost for cost in others)

    @rule()
    def start(self) -> None:
        running, refused = self.queue.next(self.now)
        self.refuse(refused)
        if running is None:
            self.idle = True
            return
        waiter = running.waiter
        assert self.waiting.pop(waiter.number) is waiter
        assert waiter.ask.deadline is None or waiter.ask.deadline > self.now
        self.end(waiter, "seat")
        self.running.append(running)
        self.age(waiter.ask.priority)
        assert len(self.running) <= self.queue.limit + CONTROL_SEATS

    def age(self, served: Priority) -> None:
        """Count for each class that waits the starts of higher ones since its own last."""
        self.higher[served] = 0
        for priority in Priority:
            if not self.queue.waiting_by(priority):
                self.higher[priority] = 0
            elif priority > served:
                self.higher[priority] += 1
        assert all(count <= AGING + len(Priority) for count in self.higher.values())

    @rule()
    def start_all(self) -> None:
        self.idle = False
        while not self.idle:
            self.start()

    @precondition(lambda self: self.running)
    @rule(which=st.integers(0, 99), output=st.integers(0, 400))
    def use(self, which: int, output: int) -> None:
        running = self.running[which % len(self.running)]
        self.queue.used(running, running.waiter.ask.prompt_tokens, output)

    @precondition(lambda self: self.running)
    @rule(which=st.integers(0, 99))
    def finish(self, which: int) -> None:
        running = self.running.pop(which % len(self.running))
        self.queue.finish(running, self.now)
        self.end(running.waiter, "finished", after="seat")
        self.idle = False

    @precondition(lambda self: self.waiting)
    @rule(which=st.integers(0, 99))
    def withdraw(self, which: int) -> None:
        waiter = self.waiting.pop(sorted(self.waiting)[which % len(self.waiting)])
        self.queue.withdraw(waiter)
        self.queue.withdraw(waiter)
        self.end(waiter, "withdrawn")

    @rule(seconds=st.floats(0, 10))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def expire(self) -> None:
        refused = self.queue.expire(self.now)
        due = {
            number
            for number, each in self.waiting.items()
            if each.ask.deadline is not None and each.ask.deadline <= self.now
        }
        assert {each.waiter.number for each in refused} == due
        assert {each.reason for each in refused} <= {"late"}
        self.refuse(refused)
        following = self.queue.next_deadline()
        left = [d for each in self.waiting.values() if (d := each.ask.deadline) is not None]
        assert following is None or following > self.now
        assert not left or (following is not None and following <= min(left))

    @rule(limit=st.integers(1, 12))
    def set_limit(self, limit: int) -> None:
        self.queue.limit = limit
        self.idle = False

    @rule(lowest=st.sampled_from(Priority))
    def close(self, lowest: Priority) -> None:
        self.queue.lowest = lowest

    # ---- what must hold ----

    def refuse(self, refused: list[Refusal]) -> None:
        for refusal in refused:
            assert self.waiting.pop(refusal.waiter.number) is refusal.waiter
            assert 0 <= refusal.retry_after < float("inf")
            self.end(refusal.waiter, refusal.reason)

    def end(self, waiter: Waiter, how: str, after: str | None = None) -> None:
        assert self.ends.get(waiter.number) == after
        self.ends[waiter.number] = how

    @invariant()
    def the_books_are_exact(self) -> None:
        books = self.queue.books
        assert books.accepted == self.offered
        assert self.queue.waiting == len(self.waiting)
        assert self.queue.running == len(self.running)
        refused = sum(books.refused.values())
        assert books.accepted == (
            books.finished + refused + self.queue.waiting + self.queue.running
        )

    @invariant()
    def no_seat_is_free_for_anybody_who_waits(self) -> None:
        if not self.idle:
            return
        limit, free = self.queue.limit, kept_free(self.queue.limit)
        held = [each.waiter.ask.priority for each in self.running]
        controls = held.count(CONTROL)
        for waiter in self.waiting.values():
            if waiter.ask.priority is CONTROL:
                assert len(held) >= limit + CONTROL_SEATS
                continue
            full = len(held) - min(CONTROL_SEATS, controls) >= limit
            kept = any(
                sum(each >= lowest for each in held) >= max(1, limit - free * (lowest - DIRECT))
                for lowest in (GROUP, MEDIA)
                if waiter.ask.priority >= lowest
            )
            assert full or kept

    @invariant()
    def everybody_in_line_has_a_place(self) -> None:
        for waiter in self.waiting.values():
            number, seconds = self.queue.place(waiter)
            assert number >= 1
            assert 0 <= seconds < float("inf")
        for priority in Priority:
            assert self.queue.eta(priority, self.now) >= 0


TestAnyQueue = AnyQueue.TestCase
TestAnyQueue.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)


def backlog(queue: AdmissionQueue, keys: str, *, senders: bool, tokens: list[int]) -> None:
    """A line for each key, of requests that say what they take."""
    for key in keys:
        for size in tokens:
            chat, sender = ("g", key) if senders else (key, "")
            queue.offer(Ask(chat=chat, sender=sender, prompt_tokens=size, output_tokens=1), 0.0)


sizes = st.lists(st.integers(1, 200), min_size=30, max_size=30)


@settings(deadline=None)
@given(sizes, st.booleans(), st.sampled_from([1, 4]))
def test_known_costs_two_backlogs_differ_by_at_most_a_charge_each(
    tokens: list[int], senders: bool, limit: int
) -> None:
    """Theorem 1 of Goyal, Vin and Cheng (SIGCOMM 1996) with equal weights."""
    queue = AdmissionQueue(limit=limit, bound=1000, budget=1e9)
    backlog(queue, "ab", senders=senders, tokens=tokens)
    given = {"a": 0.0, "b": 0.0}
    gaps = [0.0]
    running: list[Running] = []
    for _ in range(30):
        while (seat := queue.next(0.0)[0]) is not None:
            given[seat.waiter.ask.sender or seat.waiter.ask.chat] += seat.charged
            gaps.append(given["a"] - given["b"])
            running.append(seat)
        seat = running.pop(0)
        queue.used(seat, seat.waiter.ask.prompt_tokens, 1)
        queue.finish(seat, 0.0)
    assert max(gaps) - min(gaps) <= 2 * (max(tokens) + 2)


outputs = st.lists(st.integers(1, 600), min_size=60, max_size=60)


@settings(deadline=None)
@given(outputs, st.booleans(), st.sampled_from([1, 2, 8]), st.booleans())
def test_unknown_costs_two_backlogs_differ_by_that_and_what_was_running(
    outputs: list[int], senders: bool, limit: int, early: bool
) -> None:
    """Theorem 4.4 of Sheng et al. (OSDI 2024): the error of what runs comes on top.

    Service is what was really taken by those that ended, and by those that run what
    they are charged.
    """
    queue = AdmissionQueue(limit=limit, bound=1000, budget=1e9)
    for n in range(40):
        for key in "ab":
            chat, sender = ("g", key) if senders else (key, "")
            queue.offer(Ask(chat=chat, sender=sender, prompt_tokens=10 + n), 0.0)
    given = {"a": 0.0, "b": 0.0}
    running: list[Running] = []
    gaps = [0.0]
    errors = [0.0]
    charges = [0.0]
    for now, output in enumerate(outputs[:40], 1):
        while (seat := queue.next(float(now))[0]) is not None:
            running.append(seat)
            charges.append(seat.charged)
        if not queue.waiting:
            break
        seat = running.pop(0)
        if early:
            queue.used(seat, seat.waiter.ask.prompt_tokens, output // 2)
        queue.used(seat, seat.waiter.ask.prompt_tokens, output)
        queue.finish(seat, now + 1.0)
        given[seat.waiter.ask.sender or seat.waiter.ask.chat] += seat.charged
        errors.append(abs(seat.charged - seat.waiter.cost))
        charges.append(seat.charged)
        held = {"a": 0.0, "b": 0.0}
        for each in running:
            held[each.waiter.ask.sender or each.waiter.ask.chat] += each.charged
        gaps.append(given["a"] + held["a"] - given["b"] - held["b"])
    bound = 2 * max(charges) + limit * max(errors)
    assert max(abs(gap) for gap in gaps) <= bound


@settings(deadline=None)
@given(st.lists(st.sampled_from(Priority), min_size=30, max_size=150), st.integers(1, 12))
def test_a_class_that_waits_and_may_run_has_one_of_the_next_starts(
    arrivals: list[Priority], limit: int
) -> None:
    """Above it at most ``AGING``; each class below may have one aged turn in between."""
    queue = AdmissionQueue(limit=limit, bound=10_000, budget=1e9)
    for priority in Priority:
        queue.offer(Ask(priority=priority), 0.0)
    passed = dict.fromkeys(Priority, 0)
    for arrival in arrivals:
        for each in (arrival, CONTROL, DIRECT):
            queue.offer(Ask(priority=each), 0.0)
        waits = [priority for priority in Priority if queue.waiting_by(priority)]
        seat, _ = queue.next(0.0)
        assert seat is not None
        started = seat.waiter.ask.priority
        queue.finish(seat, 0.0)
        for priority in Priority:
            goes_on = priority in waits and priority is not started
            passed[priority] = passed[priority] + 1 if goes_on else 0
            assert passed[priority] <= AGING + (MEDIA - priority)


def test_memory_stays_bounded_under_very_many_chats() -> None:
    queue = AdmissionQueue(limit=4, bound=64, budget=20.0)
    running: list[Running] = []
    for n in range(50_000):
        now = n / 100
        ask = Ask(
            priority=Priority(1 + n % 3),
            chat=f"chat {n}",
            sender=f"sender {n}",
            prompt_tokens=n % 97,
            deadline=now + 20,
        )
        queue.offer(ask, now)
        queue.expire(now)
        while (seat := queue.next(now)[0]) is not None:
            running.append(seat)
        if n % 3 == 0 and running:
            seat = running.pop(0)
            queue.used(seat, seat.waiter.ask.prompt_tokens, n % 13)
            queue.finish(seat, now)
        assert queue.waiting <= queue.bound
    assert len(queue._promises) <= MOST
    assert len(queue._deadlines) <= 2 * queue.bound + 65
    assert all(lane.remembered <= KEPT + queue.bound for lane in queue._lanes)
