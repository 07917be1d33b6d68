"""What the edge knows of an update."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdcore.access import Access, Policy
from clawdcore.broker import Bot
from clawdcore.config import parse
from clawdcore.edge.heads import Head, Heads
from clawdcore.worker.telegram import decode

BOT = Bot(42, "clawd_bot")
ADA = {"id": 7, "is_bot": False, "first_name": "Ada", "username": "ada", "language_code": "de"}
GROUP = {"id": -5, "type": "supergroup", "title": "News"}
MENTION = {"type": "mention", "offset": 0, "length": 10}


def heads(**telegram: Any) -> Heads:
    config = parse(json.dumps({"channels": {"telegram": telegram}}), env={})
    return Heads(BOT, Policy(config.channels.telegram), owner=config.channels.telegram.owner or 0)


def update(kind: str = "message", **fields: Any) -> bytes:
    chat = {"id": 7, "type": "private"}
    message = {"message_id": 3, "date": 5, "chat": chat, "from": ADA, "text": "x", **fields}
    return json.dumps({"update_id": 9, kind: message}).encode()


def test_a_private_message() -> None:
    assert heads().read(update()) == Head(
        chat=7, message=3, user=7, language="de", private=True, wanted=True, time=5.0
    )


def test_an_edit_has_its_own_time() -> None:
    head = heads().read(update("edited_message", edit_date=8))
    assert (head.edited, head.time, head.message) == (True, 8.0, 3)


def test_a_topic_is_one_only_where_telegram_says_so() -> None:
    assert heads().read(update(chat=GROUP, message_thread_id=4)).topic is None
    topic = update(chat=GROUP, message_thread_id=4, is_topic_message=True)
    assert heads().read(topic).topic == 4


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"text": "hello all"}, False),
        ({"text": "@clawd_bot hello", "entities": [MENTION]}, True),
        ({"text": "@other_bot hello", "entities": [MENTION]}, False),
        ({"text": "/x", "entities": [{"type": "bot_command", "offset": 0, "length": 2}]}, True),
        ({"text": "/x@y", "entities": [{"type": "bot_command", "offset": 0, "length": 4}]}, False),
        ({"reply_to_message": {"message_id": 1, "from": {"id": 42, "is_bot": True}}}, True),
        ({"from": {"id": 8, "is_bot": True}, "text": "@clawd_bot", "entities": [MENTION]}, False),
    ],
)
def test_who_waits_for_an_answer_in_a_group(fields: dict[str, Any], wanted: bool) -> None:
    assert heads().read(update(chat=GROUP, **fields)).wanted is wanted


def test_everything_is_wanted_where_no_mention_is_required() -> None:
    free = heads(groups={"*": {"requireMention": False}})
    assert free.read(update(chat=GROUP)).wanted
    closed = heads(groups={"-6": {}})
    assert not closed.read(update(chat=GROUP, text="@clawd_bot", entities=[MENTION])).wanted


def test_nobody_waits_who_may_not_write() -> None:
    assert not heads(dmPolicy="allowlist", allowFrom=["@bob"]).read(update()).wanted
    assert heads(dmPolicy="allowlist", allowFrom=["@Ada"]).read(update()).wanted
    assert heads(dmPolicy="disabled", owner=7).read(update()).wanted


def test_the_bot_is_put_out_of_a_chat() -> None:
    body = json.dumps(
        {"update_id": 1, "my_chat_member": {"chat": GROUP, "new_chat_member": {"status": "kicked"}}}
    )
    assert heads().read(body.encode()) == Head(chat=-5, left=True)


@pytest.mark.parametrize("body", [b"", b"{", b'{"update_id":1}', b'{"message":7}', b"\xff" * 9])
def test_what_has_no_head_is_nobodys(body: bytes) -> None:
    assert heads().read(body) == Head()


def entity(kind: str, offset: int, length: int, user: int = 0) -> dict[str, Any]:
    return {"type": kind, "offset": offset, "length": length, "user": {"id": user}}


SAID = st.sampled_from(
    [
        ("hi", []),
        ("", []),
        ("@clawd_bot hi", [entity("mention", 0, 10)]),
        ("😀 @Clawd_Bot", [entity("mention", 3, 10)]),
        ("😀 @other_bot", [entity("mention", 3, 10)]),
        ("/go now", [entity("bot_command", 0, 3)]),
        ("/go@clawd_bot", [entity("bot_command", 0, 13)]),
        ("/go@other_bot", [entity("bot_command", 0, 13)]),
        ("/go @clawd_bot", [entity("bot_command", 0, 3), entity("mention", 4, 10)]),
        ("so /go", [entity("bot_command", 3, 3)]),
        ("Clawd hi", [entity("text_mention", 0, 5, 42)]),
        ("Bob hi", [entity("text_mention", 0, 3, 8), entity("bold", 4, 2)]),
    ]
)


@given(
    said=SAID,
    chat=st.sampled_from([GROUP, {"id": 7, "type": "private"}]),
    quoted=st.sampled_from([None, 7, 42]),
)
def test_the_edge_and_the_worker_agree_on_who_was_spoken_to(
    said: tuple[str, list[Any]], chat: dict[str, Any], quoted: int | None
) -> None:
    text, entities = said
    fields: dict[str, Any] = {"text": text, "entities": entities, "chat": chat}
    if quoted is not None:
        fields["reply_to_message"] = {
            "message_id": 1, "chat": chat, "from": {"id": quoted, "first_name": "x"}
        }  # fmt: skip
    body = update(**fields)
    head = heads().read(body)
    message = decode(body, BOT)
    policy = Policy(parse("{}", env={}).channels.telegram)
    if message is None:
        assert not (head.wanted and text.startswith("/go@clawd"))
    else:
        spoken = policy.decide(message) is Access.ALLOWED or bool(message.command)
        assert head.wanted == spoken


def a_press(chat: dict[str, Any], **message: Any) -> bytes:
    shown = {"message_id": 3, "date": 5, "chat": chat, "from": {"id": 42, "is_bot": True}}
    query = {"id": "1", "from": ADA, "message": {**shown, **message}, "data": "x"}
    return json.dumps({"update_id": 9, "callback_query": query}).encode()


def test_a_press_has_a_chat_and_a_user_and_nobody_waits_for_it() -> None:
    private = heads().read(a_press({"id": 7, "type": "private"}))
    assert private == Head(chat=7, user=7, language="de", private=True, press=True)
    topic = heads().read(a_press(GROUP, message_thread_id=4, is_topic_message=True))
    assert (topic.chat, topic.topic, topic.wanted, topic.message) == (-5, 4, False, 0)


@pytest.mark.parametrize("query", [{}, {"id": "1"}, {"from": {"id": 3}, "message": {}}])
def test_a_press_without_a_chat_is_one_all_the_same(query: dict[str, Any]) -> None:
    head = heads().read(json.dumps({"update_id": 9, "callback_query": query}).encode())
    assert (head.press, head.chat, head.wanted) == (True, 0, False)
