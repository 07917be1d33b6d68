"""What goes together, and what it then says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clawdcore.broker import Send, Target
from clawdcore.edge.delivery.merging import (
    NAME_LIMIT,
    SEPARATOR,
    Part,
    gather,
    merged,
    named,
)
from clawdcore.edge.markdown import ENTITY_LIMIT
from clawdcore.edge.markup import Entity, units
from clawdcore.messages import Button, Reply

LIMIT = 4096
NAMES = ("Ada", "Grace 🚀", "李雷", "")


def a_send(
    number: int,
    text: str = "yes",
    *,
    asker: int | None = None,
    name: str = "Ada",
    topic: int | None = None,
    chat: int = -7,
    streamed: bool = False,
    edited: bool = False,
    shared: bool = False,
    **reply: object,
) -> Send:
    return Send(
        number,
        Target(chat_id=chat, topic=topic, reply_to=number, private=chat > 0),
        Reply(text=text, **reply),  # type: ignore[arg-type]
        asker=number if asker is None else asker,
        name=name,
        streamed=streamed,
        edited=edited,
        shared=shared,
    )


def gathered(*sends: Send, limit: int = LIMIT) -> list[int]:
    return [part.send.id for part in gather(sends, limit)]


def test_what_may_not_share_a_message() -> None:
    first = a_send(1)
    alone = (
        a_send(3, edited=True),
        a_send(4, delete_after=5.0),
        a_send(5, topic=8),
        a_send(6, preview=True),
        a_send(7, "x" * 5000),
        a_send(8, "  "),
        a_send(10, buttons=((Button("x", "x", plugin="p"),),)),
    )
    assert gathered(first, *alone, a_send(9)) == [1, 9]
    assert gathered(a_send(2, streamed=True), first) == [2, 1]
    assert gathered(a_send(2, "x" * 5000), first) == []
    assert gather([first, a_send(2)], LIMIT, {1}) == []
    assert [part.send.id for part in gather([first, a_send(2), a_send(3)], LIMIT, {2})] == [1, 3]


def test_what_says_the_same_may_have_the_same_buttons() -> None:
    def with_button(number: int, data: str, text: str = "More", **more: bool) -> Send:
        return a_send(number, buttons=((Button(text, "x", data, plugin="p"),),), **more)

    first = with_button(1, "1", shared=True)
    twin, plain = with_button(2, "2", shared=True), a_send(3, shared=True)
    other, own = with_button(4, "4", "Less", shared=True), with_button(5, "1")
    assert gathered(first, twin, plain, other, own, a_send(6)) == [1, 2]
    assert gathered(plain, first, twin, a_send(6)) == [3, 6]
    assert merged(gather([first, twin], LIMIT))[0] == f"yes{SEPARATOR}↑ Ada"


def test_nobodys_reply_overtakes_an_earlier_one_to_the_same_person() -> None:
    waiting = (a_send(1), a_send(2, asker=5, topic=8), a_send(3, asker=5), a_send(4, asker=6))
    assert gathered(*waiting) == [1, 4]


def test_no_more_than_fits_one_message() -> None:
    sends = [a_send(number, "x" * 700) for number in range(1, 12)]
    parts = gather(sends, LIMIT)
    assert [part.send.id for part in parts] == [1, 2, 3, 4, 5]
    assert units(merged(parts)[0]) <= LIMIT


def test_no_more_entities_than_telegram_reads() -> None:
    bold = "<b>x</b> " * 60
    sends = [a_send(number, bold, format="html") for number in (1, 2, 3)]
    assert gathered(*sends) == [1]
    assert len(merged(gather(sends, LIMIT))[1]) <= ENTITY_LIMIT


def test_the_first_is_a_reply_and_the_others_are_named() -> None:
    parts = gather(
        [
            a_send(1, "<b>one</b>", format="html"),
            a_send(2, "😀 <i>two</i>", format="html", name="Grace 🚀"),
            a_send(3, "three", asker=0),
        ],
        LIMIT,
    )
    text, entities = merged(parts)
    assert text == f"one{SEPARATOR}Grace 🚀:\n😀 two{SEPARATOR}three"
    shown = [(entity.type, cut(text, entity), entity.user) for entity in entities]
    assert shown == [
        ("bold", "one", None),
        ("text_mention", "Grace 🚀", 2),
        ("italic", "two", None),
    ]


def test_who_is_told_the_very_same_is_named_below_it() -> None:
    sends = [
        a_send(1, "<b>one</b>", format="html", shared=True),
        a_send(2, "<b>one</b>", format="html", shared=True, name="Grace 🚀"),
        a_send(3, "two", name="Bob"),
        a_send(4, "<b>one</b>", format="html", shared=True, name="李雷"),
        a_send(5, "<b>one</b>", format="html", name="Eve"),
    ]
    assert gathered(*sends) == [1, 2, 3, 4, 5]
    text, entities = merged(gather(sends, LIMIT))
    assert text == f"one{SEPARATOR}↑ Grace 🚀, 李雷{SEPARATOR}Bob:\ntwo{SEPARATOR}Eve:\none"
    shown = [(entity.type, cut(text, entity), entity.user) for entity in entities]
    assert shown == [
        ("bold", "one", None),
        ("text_mention", "Grace 🚀", 2),
        ("text_mention", "李雷", 4),
        ("text_mention", "Bob", 3),
        ("text_mention", "Eve", 5),
        ("bold", "one", None),
    ]


def test_alike_takes_only_those_who_are_told_the_same_and_each_in_their_order() -> None:
    sends = [
        a_send(1, shared=True),
        a_send(2, "other", shared=True),
        a_send(3, shared=True),
        a_send(4, shared=True, asker=2),
        a_send(5),
    ]
    parts = gather(sends, LIMIT, alike=True)
    assert [part.send.id for part in parts] == [1, 3]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), min_size=1, max_size=60))
def test_what_is_gathered_fits_whoever_is_told_the_same(replies: list[tuple[str, bool]]) -> None:
    sends = [
        a_send(number, words * 30, shared=shared, name=f"Person {number}")
        for number, (words, shared) in enumerate(replies, start=1)
    ]
    parts = gather(sends, 300)
    text, entities = merged(parts)
    assert units(text) <= 300
    named_there = [(entity.user, cut(text, entity)) for entity in entities]
    assert sorted(named_there) == sorted((p.send.asker, p.send.name) for p in parts[1:])


def test_a_name_is_one_short_line_and_never_empty() -> None:
    assert named(a_send(1, name="a\nb\u2028c")) == "a b c"
    assert named(a_send(1, name=" \n ")) == "1"
    assert len(named(a_send(1, name="x" * 500))) == NAME_LIMIT
    named(a_send(1, name="\ud800")).encode()


def cut(text: str, entity: Entity) -> str:
    data = text.encode("utf-16-le")
    return data[entity.offset * 2 : (entity.offset + entity.length) * 2].decode("utf-16-le")


words = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=40)


@given(st.lists(st.tuples(words, st.sampled_from(NAMES)), min_size=1, max_size=12))
def test_every_entity_still_covers_its_words(replies: list[tuple[str, str]]) -> None:
    sends = [
        a_send(number, f"a{text}z", name=name)
        for number, (text, name) in enumerate(replies, start=1)
    ]
    parts = [
        Part(send, (send.reply.text, (Entity("bold", 0, units(send.reply.text)),)))
        for send in sends
    ]
    text, entities = merged(parts)
    bold = [cut(text, entity) for entity in entities if entity.type == "bold"]
    assert bold == [send.reply.text for send in sends]
    mentions = [(entity.user, cut(text, entity)) for entity in entities if entity.user]
    assert mentions == [(send.id, named(send)) for send in sends[1:]]
    gathered_parts = gather(sends, 200)
    assert units(merged(gathered_parts)[0]) <= 200
