"""The books of the chaos runs: they must see what goes wrong."""

from __future__ import annotations

from typing import Any

from chaos_parts.books import SEPARATOR, Asked, Balance, Books

from clawdcore.testing.botapi import Record

A, B, C = "k000000000001", "k000000000002", "k000000000003"
CHAT = -5
INTERRUPTED = "I was interrupted. If this got no answer, please send it again."


def asked(token: str, message: int, user: int = 7, **options: Any) -> Asked:
    return Asked(token, CHAT, user, message, options.pop("addressed", True), "x", **options)


class Bot:
    """Writes a journal."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def _add(self, kind: Any, message: dict[str, Any]) -> None:
        n = len(self.records) + 1
        self.records.append(Record(n, kind, "sendMessage", CHAT, message, float(n)))

    def sends(self, id: int, text: str, to: int = 0, mentions: tuple[int, ...] = ()) -> None:
        message: dict[str, Any] = {"message_id": id, "text": text}
        if to:
            message["reply_to_message"] = {"message_id": to}
        message["entities"] = [{"type": "text_mention", "user": {"id": u}} for u in mentions]
        self._add("sent", message)

    def edits(self, id: int, text: str, to: int) -> None:
        message = {"message_id": id, "text": text, "reply_to_message": {"message_id": to}}
        self._add("edit", message)


def balance(bot: Bot, *messages: Asked) -> Balance:
    books = Books()
    for message in messages:
        books.ask(message)
    books.read(bot.records)
    result = books.balance()
    assert books.open == len(result.lost)
    return result


def test_answered_noticed_lost_and_not_addressed() -> None:
    bot = Bot()
    bot.sends(10, f"[{A}] yes", to=1)
    bot.sends(11, INTERRUPTED, to=2)
    chatter = asked("k000000000009", 4, addressed=False)
    result = balance(bot, asked(A, 1), asked(B, 2), asked(C, 3), chatter)
    assert (result.answered, result.noticed, result.unaddressed) == (1, 1, 1)
    assert result.lost == [C]
    assert result.notices == {"interrupted": 1}
    assert result.innocents_noticed == {"interrupted": 1}


def test_two_messages_with_one_answer_are_a_duplicate_but_edits_are_not() -> None:
    bot = Bot()
    bot.sends(10, f"({A}) ye", to=1)
    bot.edits(10, f"({A}) yes [{A}]", to=1)
    assert balance(bot, asked(A, 1)).duplicates == 0
    bot.sends(11, f"[{A}]", to=1)
    result = balance(bot, asked(A, 1))
    assert (result.answered, result.duplicates, result.torn) == (1, 1, 0)


def test_an_answer_that_stays_half_written() -> None:
    bot = Bot()
    bot.sends(10, f"({A}) ye", to=1)
    bot.sends(11, f"[{A}]", to=1)
    assert balance(bot, asked(A, 1)).torn == 1


def test_merged_answers_reach_those_who_are_named() -> None:
    bot = Bot()
    text = SEPARATOR.join([f"[{A}]", f"Bob:\n[{B}]", "Mei:\nThis took too long, so I stopped."])
    bot.sends(10, text, to=1, mentions=(8, 9))
    people = asked(A, 1, 7), asked(B, 2, 8), asked(C, 3, 9)
    result = balance(bot, *people)
    assert (result.answered, result.noticed, result.misdirected, result.disordered) == (2, 1, 0, 0)
    wrong = asked(A, 1, 7), asked(B, 2, 4), asked(C, 3, 9)
    assert balance(bot, *wrong).misdirected == 1


def test_order_counts_within_one_asker_only() -> None:
    bot = Bot()
    bot.sends(10, f"[{B}]", to=2)
    bot.sends(11, f"[{A}]", to=1)
    assert balance(bot, asked(A, 1), asked(B, 2)).disordered == 1
    assert balance(bot, asked(A, 1), asked(B, 2, 8)).disordered == 0


def test_one_notice_speaks_for_as_many_as_it_says() -> None:
    bot = Bot()
    bot.sends(10, "If one of your last 2 messages got no answer, please send it again.", to=3)
    result = balance(bot, asked(A, 1), asked(B, 2), asked(C, 3))
    assert (result.noticed, len(result.lost)) == (2, 1)
    assert balance(bot, asked(A, 1), asked(B, 2, 8), asked(C, 3)).lost == [B]


def test_a_message_for_nobody_and_an_answer_nobody_asked_for() -> None:
    bot = Bot()
    bot.sends(10, "hello?", to=99)
    bot.sends(11, f"[{A}]", to=1)
    result = balance(bot, asked(A, 1, addressed=False))
    assert (result.unexplained, result.uninvited) == (1, 1)


def test_answered_and_told_otherwise() -> None:
    bot = Bot()
    bot.sends(10, f"[{A}]", to=1)
    bot.sends(11, INTERRUPTED, to=1)
    assert balance(bot, asked(A, 1)).both == [A]
