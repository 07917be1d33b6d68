"""Sessions are bounded in number and time, and can be erased."""

from __future__ import annotations

from clawdbot_chat.sessions import RATIO, Erased, Exchange, Note, Session, Sessions
from clawdcore.testing import FakeMemory


def new_sessions(*, limit: int, idle: float, fake: FakeMemory | None = None) -> Sessions:
    return Sessions((fake or FakeMemory()).memory, limit=limit, idle=idle)


def exchange(user: int, text: str = "text") -> Exchange:
    return Exchange.of(user, "", text, text)


def filled(sessions: Sessions, chat: int, *users: int, topic: int = 0, now: float = 0) -> Session:
    session = sessions.open(f"{chat}/{topic}", chat=chat, now=now)
    session.language = "en"
    session.exchanges += [exchange(user) for user in users]
    return session


def test_a_session_is_found_again() -> None:
    sessions = new_sessions(limit=2, idle=10)
    session = filled(sessions, 1, 1)
    assert sessions.open("1/0", chat=1, now=1) is session


def test_the_longest_unused_session_goes_first() -> None:
    sessions = new_sessions(limit=2, idle=10)
    first, second = filled(sessions, 1, 1), filled(sessions, 2, 2, now=1)
    assert sessions.open("1/0", chat=1, now=2) is first
    filled(sessions, 3, 3, now=3)
    assert len(sessions) == 2
    assert sessions.open("1/0", chat=1, now=4) is first
    assert sessions.open("2/0", chat=2, now=5) is not second


def test_an_unused_session_ends() -> None:
    sessions = new_sessions(limit=9, idle=10)
    filled(sessions, 1, 1, now=0)
    filled(sessions, 2, 2, now=5)
    assert sessions.next_expiry == 10
    sessions.expire(9.9)
    assert len(sessions) == 2
    sessions.expire(10)
    assert len(sessions) == 1
    assert sessions.next_expiry == 15
    sessions.expire(99)
    assert sessions.next_expiry is None


def test_an_expired_session_is_not_found_even_when_nobody_swept() -> None:
    sessions = new_sessions(limit=9, idle=10)
    session = filled(sessions, 1, 1, now=0)
    assert sessions.open("1/0", chat=1, now=10) is not session


def test_forgetting_a_chat_takes_its_topics_too() -> None:
    sessions = new_sessions(limit=9, idle=10)
    filled(sessions, -1, 1, 2)
    filled(sessions, -1, 3, topic=7)
    filled(sessions, -2, 4)
    assert sessions.forget_chat(-1) == Erased(3, 0, "en")
    assert not sessions.forget_chat(-1)
    assert len(sessions) == 1


def test_forgetting_a_user_takes_what_they_asked_everywhere_and_notes_about_it() -> None:
    sessions = new_sessions(limit=9, idle=10)
    filled(sessions, 1, 1, 1)
    group = filled(sessions, -1, 1, 2, 1)
    group.notes += [Note.of("a", frozenset({1, 2})), Note.of("b", frozenset({2}))]
    assert sessions.forget_user(1) == Erased(4, 1, "en")
    rest = sessions.open("-1/0", chat=-1, now=0)
    assert [each.user for each in rest.exchanges] == [2]
    assert [note.text for note in rest.notes] == ["b"]
    assert not sessions.forget_user(1)


def test_what_an_answer_under_way_adds_after_forgetting_is_lost() -> None:
    sessions = new_sessions(limit=9, idle=10)
    private, group = filled(sessions, 1, 1), filled(sessions, -1, 2)
    sessions.forget_user(1)
    private.exchanges.append(exchange(1))
    group.exchanges.append(exchange(1))
    assert not sessions.forget_user(1)


def test_the_ratio_follows_the_models_count_within_reason() -> None:
    session = Session(1)
    session.measured(100, 70)
    assert session.ratio == 0.7
    session.measured(100, 100_000)
    assert session.ratio == RATIO[1]
    session.measured(100, 1)
    assert session.ratio == RATIO[0]
    session.measured(0, 5)
    session.measured(5, 0)
    assert session.ratio == RATIO[0]


def test_nothing_that_is_printed_shows_what_was_said() -> None:
    session = Session(1, exchanges=[exchange(1, "xyzzy")], notes=[Note.of("xyzzy", frozenset())])
    assert "xyzzy" not in f"{session!r} {session.exchanges!r} {session.notes!r}"


def test_another_workers_answer_and_ours_are_both_remembered() -> None:
    fake = FakeMemory()
    sessions = new_sessions(limit=9, idle=10, fake=fake)
    ours = filled(sessions, 1, 1)
    theirs = Session(1, exchanges=[exchange(1), exchange(1, "theirs")])
    fake.set_elsewhere("1/0", theirs)
    ours.exchanges.append(exchange(1, "ours"))
    sessions.keep("1/0", ours)
    found = sessions.open("1/0", chat=1, now=1)
    assert [each.question for each in found.exchanges] == ["text", "theirs", "ours"]


def test_what_another_worker_forgot_is_not_brought_back_by_an_answer() -> None:
    fake = FakeMemory()
    sessions = new_sessions(limit=9, idle=10, fake=fake)
    session = filled(sessions, 1, 1)
    fake.forget_elsewhere("1/0")
    sessions.keep("1/0", session)
    assert len(sessions) == 0


def test_what_was_dropped_stays_so_though_a_new_session_began() -> None:
    sessions = new_sessions(limit=9, idle=10)
    session = filled(sessions, 1, 1)
    sessions.drop("1/0")
    sessions.open("1/0", chat=1, now=1)
    sessions.keep("1/0", session)
    assert not sessions.open("1/0", chat=1, now=1).exchanges


def test_a_session_of_an_earlier_worker_ends_when_it_would_have_there() -> None:
    old = Session(1, "en", [Note.of("n", frozenset({1, 2}))], [exchange(1)], used=5.0)
    fake = FakeMemory()
    fake.set_elsewhere("1/0", old)
    sessions = new_sessions(limit=9, idle=10, fake=fake)
    assert sessions.next_expiry == 15
    [(_, found)] = sessions.all()
    assert (found.notes, found.exchanges, found.language) == (old.notes, old.exchanges, "en")
    sessions.expire(15)
    assert len(sessions) == 0


def test_a_conversation_too_long_to_be_remembered_loses_its_oldest() -> None:
    sessions = new_sessions(limit=9, idle=10, fake=FakeMemory(value_limit=400))
    session = filled(sessions, 1)
    session.exchanges += [exchange(1, f"{number} " + "x" * 40) for number in range(10)]
    sessions.keep("1/0", session)
    assert 0 < len(session.exchanges) < 10
    assert session.exchanges[-1].question.startswith("9")
