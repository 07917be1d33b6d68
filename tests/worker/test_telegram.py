"""An update's bytes to a Message."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdcore.broker import Bot
from clawdcore.messages import Message, Press
from clawdcore.worker.telegram import GROUP_ANONYMOUS_BOT, Undecodable, decode

BOT = Bot(42, "clawd_bot")
ADA = {"id": 7, "is_bot": False, "first_name": "Ada", "last_name": "L", "language_code": "en"}
PRIVATE = {"id": 7, "type": "private"}
GROUP = {"id": -5, "type": "supergroup", "title": "News"}


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def update(**fields: Any) -> bytes:
    message = {"message_id": 1, "date": 5, "chat": PRIVATE, "from": ADA, **fields}
    return json.dumps({"update_id": 9, "message": message}).encode()


def decoded(**fields: Any) -> Message:
    message = decode(update(**fields), BOT)
    assert isinstance(message, Message)
    return message


def test_private_text() -> None:
    message = decoded(text="hello")
    assert (message.id, message.update_id, message.body, message.kind) == (1, 9, "hello", "text")
    assert message.addressed
    assert (message.sender.name, message.sender.language) == ("Ada L", "en")
    assert (message.session, message.asker) == ("7", "7:7")


def command(text: str, length: int, chat: dict[str, Any] = GROUP) -> Message | None:
    entities = [{"type": "bot_command", "offset": 0, "length": length}]
    found = decode(update(text=text, entities=entities, chat=chat), BOT)
    assert not isinstance(found, Press)
    return found


def test_command_and_arguments() -> None:
    message = command("/Translate  zh \n hi", 10)
    assert message is not None
    assert (message.command, message.args, message.addressed) == ("translate", "zh \n hi", False)


def test_command_to_this_bot_in_a_group_is_addressed() -> None:
    message = command("/help@Clawd_Bot now", 15)
    assert message is not None
    assert (message.command, message.args, message.addressed) == ("help", "now", True)


def test_command_to_another_bot_is_nothing_to_us() -> None:
    assert command("/help@other_bot", 15) is None


@pytest.mark.parametrize("before", ["", "嗨 ", "👩‍👩‍👧 ", "a\u0301 "])
def test_mention_counts_utf16_units(before: str) -> None:
    text = f"{before}@clawd_bot what"
    entities = [{"type": "mention", "offset": units(before), "length": 10}]
    message = decoded(text=text, entities=entities, chat=GROUP)
    assert message.addressed
    assert message.body == ("what" if not before else text)


def test_mention_of_somebody_else_is_not_ours() -> None:
    entities = [{"type": "mention", "offset": 0, "length": 6}]
    assert not decoded(text="@clawd hi", entities=entities, chat=GROUP).addressed


def test_text_mention_and_bare_mention() -> None:
    entities = [{"type": "text_mention", "offset": 0, "length": 4, "user": {"id": 42}}]
    message = decoded(text="Claw", entities=entities, chat=GROUP)
    assert message.addressed
    assert message.body == ""


def test_reply_to_the_bot_is_addressed_and_carries_the_quoted_text() -> None:
    quoted = {"message_id": 3, "date": 1, "chat": GROUP, "from": {"id": 42}, "text": "before"}
    message = decoded(text="and?", chat=GROUP, reply_to_message=quoted)
    assert message.addressed
    assert message.reply_to is not None
    assert (message.reply_to.id, message.reply_to.body) == (3, "before")


def test_group_text_is_overheard() -> None:
    assert not decoded(text="hello", chat=GROUP).addressed


def test_topic_only_where_the_message_is_a_topic_message() -> None:
    assert decoded(text="x", chat=GROUP, message_thread_id=4).chat.topic is None
    in_topic = decoded(text="x", chat=GROUP, message_thread_id=4, is_topic_message=True)
    assert (in_topic.chat.topic, in_topic.session) == (4, "-5/4")


def test_largest_photo_with_caption() -> None:
    sizes = [
        {"file_id": "small", "width": 90, "height": 60, "file_size": 900},
        {"file_id": "large", "width": 1280, "height": 853, "file_size": 90_000},
    ]
    message = decoded(photo=sizes, caption="what is it", media_group_id="g")
    assert (message.kind, message.body, message.album) == ("photo", "what is it", "g")
    assert message.attachments[0].file_id == "large"
    assert message.parts == ("what is it", message.attachments[0])


@pytest.mark.parametrize("kind", ["voice", "audio", "video", "video_note", "document", "sticker"])
def test_every_kind_of_file(kind: str) -> None:
    message = decoded(**{kind: {"file_id": "f", "duration": 3, "mime_type": "x/y"}})
    assert (message.kind, message.attachments[0].mime) == (kind, "x/y")


def test_anonymous_admin_is_the_group() -> None:
    message = decoded(
        text="x",
        chat=GROUP,
        sender_chat=GROUP,
        **{"from": {"id": GROUP_ANONYMOUS_BOT, "is_bot": True, "first_name": "Group"}},
    )
    assert (message.sender.id, message.sender.name) == (-5, "News")


@pytest.mark.parametrize(
    "body",
    [
        update(**{"from": {"id": 8, "is_bot": True, "first_name": "Bot"}}, text="x"),
        update(new_chat_title="x"),
        update(text="x", chat={"id": -9, "type": "channel"}),
        b'{"update_id": 1, "callback_query": {"id": "1"}}',
        b'{"update_id": 1}',
    ],
)
def test_what_is_no_message_for_us(body: bytes) -> None:
    assert decode(body, BOT) is None


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"{", b"[]", b"3", b'{"update_id": "x"}', b'{"update_id":1,"message":2}']
)
def test_what_is_no_update_says_where_not_what(body: bytes) -> None:
    with pytest.raises(Undecodable) as caught:
        decode(body, BOT)
    assert str(caught.value)


def test_an_undecodable_update_is_not_quoted() -> None:
    with pytest.raises(Undecodable) as caught:
        decode(update(text={"secret": "words"}), BOT)
    assert "text" in str(caught.value)
    assert "words" not in str(caught.value)


def press(**fields: Any) -> bytes:
    shown = {"message_id": 3, "date": 5, "chat": PRIVATE, "text": "Choose."}
    query = {"id": "77", "from": ADA, "message": shown, "data": "abcdefghrest", **fields}
    return json.dumps({"update_id": 9, "callback_query": query}).encode()


def test_a_press() -> None:
    found = decode(press(), BOT)
    assert isinstance(found, Press)
    assert (found.update_id, found.query, found.key, found.data) == (9, "77", "abcdefgh", "rest")
    assert (found.sender.name, found.language) == ("Ada L", "en")
    assert (found.message.id, found.message.body, found.message.time) == (3, "Choose.", 5.0)
    assert (found.chat.id, found.asker, found.session) == (7, "7:7", "7")


def test_a_press_in_a_topic() -> None:
    shown = {"message_id": 3, "chat": GROUP, "message_thread_id": 4, "is_topic_message": True}
    found = decode(press(message=shown), BOT)
    assert isinstance(found, Press)
    assert (found.chat.kind, found.chat.topic, found.session) == ("group", 4, "-5/4")


@pytest.mark.parametrize(
    "fields",
    [
        {"message": None},
        {"data": ""},
        {"from": None},
        {"message": {"message_id": 3, "chat": {"id": -9, "type": "channel"}}},
    ],
)
def test_presses_that_are_not_for_us(fields: dict[str, Any]) -> None:
    assert decode(press(**fields), BOT) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    ["text", "entities", "chat", "from", "photo", "voice", "reply_to_message", "date", "caption"]
)


@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_anything_in_place_of_an_update(body: bytes) -> None:
    try:
        decode(body, BOT)
    except Undecodable as error:
        assert str(error)


@given(st.dictionaries(FIELDS, json_values, max_size=4))
def test_any_value_in_a_message_s_field(fields: dict[str, Any]) -> None:
    try:
        decode(update(**fields), BOT)
    except Undecodable as error:
        assert str(error)


PRESS_FIELDS = st.sampled_from(["id", "from", "message", "data", "inline_message_id"])


@given(st.dictionaries(PRESS_FIELDS, json_values, max_size=4))
def test_any_value_in_a_press_s_field(fields: dict[str, Any]) -> None:
    try:
        decode(press(**fields), BOT)
    except Undecodable as error:
        assert str(error)


@given(st.text(max_size=30), st.integers(-5, 40), st.integers(-5, 40))
def test_any_entity_on_any_text(text: str, offset: int, length: int) -> None:
    kinds = ("bot_command", "mention", "text_mention", "url")
    entities = [{"type": kind, "offset": offset, "length": length} for kind in kinds]
    decode(update(text=text, entities=entities, chat=GROUP), BOT)
