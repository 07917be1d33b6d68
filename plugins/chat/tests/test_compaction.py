"""What goes when a conversation is too long: pure, and so tried with anything."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clawdbot_chat.compaction import (
    NOTE_TOKENS,
    Window,
    chunks,
    drop_oldest,
    limit,
    newest,
    note_tokens,
    noted,
    pieces,
    scaled,
    view,
)
from clawdbot_chat.prompts import said
from clawdbot_chat.sessions import Exchange, Note, Session
from clawdbot_chat.tokens import estimate

texts = st.text(max_size=200)
exchanges = st.lists(
    st.builds(lambda question, answer: Exchange.of(1, "", question, answer), texts, texts),
    max_size=12,
)
notes = st.lists(st.builds(lambda text: Note.of(text, frozenset({1})), texts), max_size=4)
sessions = st.builds(
    lambda notes, exchanges, ratio: Session(1, notes=notes, exchanges=exchanges, ratio=ratio),
    notes,
    exchanges,
    st.floats(0.25, 4),
)


@given(
    st.integers(16, 200_000),
    st.integers(1, 100_000),
    st.integers(1, 100_000),
    st.none() | st.integers(128, 100_000),
)
def test_prompt_and_answer_fit_the_context(
    context: int, output: int, answer: int, history: int | None
) -> None:
    window = Window.of(context, output=output, answer=answer, history=history)
    assert 1 <= window.answer <= min(answer, output)
    assert window.prompt > 0
    assert window.prompt + window.answer <= context


def test_history_is_half_of_the_context_unless_the_options_say_more() -> None:
    assert Window.of(4096, output=1024, answer=512, history=None).history == 2048
    assert Window.of(1 << 20, output=1024, answer=512, history=None).history == 16_384
    assert Window.of(4096, output=1024, answer=512, history=3000).history == 3000


def test_a_long_question_does_not_shrink_what_is_kept() -> None:
    window = Window(prompt=1000, answer=100, history=2000)
    assert limit(window, fixed=50, new=50) == 900
    assert limit(window, fixed=50, new=400) == 550
    assert limit(window, fixed=50, new=900) == 450
    assert limit(window.within(700), fixed=50, new=50) == 600
    assert limit(window.within(None), fixed=50, new=50) == 900
    assert limit(Window(1000, 100, 200), fixed=50, new=50) == 200


@given(sessions, st.integers(0, 1000))
def test_the_newest_that_fit_are_as_many_as_can(session: Session, room: int) -> None:
    count = newest(session.exchanges, room, session.ratio)
    every = [each.tokens for each in reversed(session.exchanges)]
    assert scaled(sum(every[:count]), session.ratio) <= room or count == 0
    assert count == len(every) or scaled(sum(every[: count + 1]), session.ratio) > room


@given(sessions, st.integers(0, 1000))
def test_dropping_leaves_what_fits_and_the_newest(session: Session, room: int) -> None:
    before = session.exchanges[:]
    drop_oldest(session, room)
    # Each part is rounded up by itself.
    assert scaled(session.tokens, session.ratio) <= room + 1
    assert before[len(before) - len(session.exchanges) :] == session.exchanges
    assert noted(session) <= room // 2 or not session.notes


@given(sessions, st.integers(-100, 1000))
def test_a_view_fits_and_changes_nothing(session: Session, room: int) -> None:
    kept = session.notes[:], session.exchanges[:]
    seen = view(session, room)
    assert (session.notes, session.exchanges) == kept
    assert seen.tokens(session.ratio) <= max(0, room) + 1
    roles = [turn.role for turn in seen.turns()]
    assert roles == ["user", "assistant"] * (len(roles) // 2)


@given(exchanges, st.integers(5, 300), st.floats(0.25, 4))
def test_chunks_fit_and_lose_nothing_that_was_said(
    exchanges: list[Exchange], room: int, ratio: float
) -> None:
    made = chunks(exchanges, room, ratio)
    for chunk in made:
        assert estimate(chunk.text) <= room / max(1.0, ratio) or len(chunk.text) == 1
    told = "".join(chunk.text for chunk in made).replace("\n", "")
    assert told == "".join(map(said, exchanges)).replace("\n", "")
    assert sum(chunk.whole for chunk in made) == len(exchanges)


def test_a_chunk_knows_whose_words_it_holds() -> None:
    made = chunks([Exchange.of(user, "", "word " * 20, "") for user in (1, 2, 3)], 50, 1.0)
    assert [(chunk.users, chunk.whole) for chunk in made] == [
        (frozenset({1, 2}), 2),
        (frozenset({3}), 1),
    ]


@given(st.text(max_size=500), st.integers(1, 100))
def test_pieces_fit_and_lose_nothing(text: str, room: int) -> None:
    parts = pieces(text, room)
    assert "".join(parts) == text
    assert all(estimate(part) <= room or len(part) == 1 for part in parts)


def test_a_note_is_neither_tiny_nor_long() -> None:
    assert note_tokens(10) == NOTE_TOKENS[0]
    assert note_tokens(800) == 100
    assert note_tokens(100_000) == NOTE_TOKENS[1]
