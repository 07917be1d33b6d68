"""Whatever is thrown at a method, the answer has the Bot API's shape, and no crash is ours."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote

import aiohttp
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from yarl import URL

from clawdcore.testing.botapi import BotApiServer, PollRules
from clawdcore.testing.botapi.spec import load_spec

SPEC = load_spec()
NAMES = sorted(method.name for method in SPEC.methods.values())
PARAMETERS = sorted({p for m in SPEC.methods.values() for p in m.parameters})
SEEN = frozenset({400, 401, 403, 404, 409, 413, 501})

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from([1, 5, -7, "5", "\ud800", "HTML", "attach://photo", "typing", "default"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.text(max_size=4)
        | st.sampled_from(
            ["type", "offset", "length", "url", "user", "emoji", "message_id", "chat_id",
             "inline_keyboard", "text", "callback_data", "command", "description", "quote"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip
keyboards = st.fixed_dictionaries({"inline_keyboard": anything})
plausible = st.fixed_dictionaries(
    {},
    optional={
        "chat_id": st.sampled_from([5, -7, "5", "@forum"]) | anything,
        "text": st.text(max_size=20) | anything,
        "parse_mode": st.sampled_from(["HTML", "MarkdownV2", "Markdown"]) | anything,
        "entities": st.lists(anything, max_size=3),
        "reply_parameters": st.fixed_dictionaries({"message_id": st.sampled_from([1, "1"])})
        | anything,
        "reply_markup": keyboards | anything,
        "message_id": st.sampled_from([1, 2]) | anything,
        "message_ids": anything,
        "draft_id": anything,
        "action": anything,
        "reaction": st.lists(st.fixed_dictionaries({"type": anything, "emoji": anything})),
        "commands": anything,
        "scope": anything,
        "photo": anything,
        "voice": anything,
        "document": anything,
        "file_id": anything,
        "user_id": anything,
        "link_preview_options": anything,
        "timeout": st.just(0),
        "allowed_updates": anything,
        "offset": anything,
        "limit": anything,
    },
)
parameters = plausible | st.dictionaries(
    st.sampled_from(PARAMETERS) | st.text(max_size=5), anything
)
implemented = [
    "sendMessage", "sendMessageDraft", "sendPhoto", "sendDocument", "sendVoice", "sendChatAction",
    "editMessageText", "editMessageReplyMarkup", "deleteMessage", "deleteMessages",
    "setMessageReaction", "setMyCommands", "getMyCommands", "deleteMyCommands", "getChat",
    "getChatMember", "getChatAdministrators", "getFile", "answerCallbackQuery", "getMe",
    "getUpdates", "setWebhook", "deleteWebhook", "getWebhookInfo",
]  # fmt: skip
methods = st.sampled_from(implemented) | st.sampled_from(NAMES) | st.text(max_size=6)
bodies = st.one_of(
    parameters.map(lambda v: (json.dumps(v).encode(), "application/json")),
    st.binary(max_size=60).map(lambda b: (b, "application/json")),
    st.binary(max_size=60).map(lambda b: (b, "application/x-www-form-urlencoded")),
    st.binary(max_size=60).map(lambda b: (b"--b\r\n" + b, "multipart/form-data; boundary=b")),
    st.binary(max_size=60).map(lambda b: (b, "multipart/form-data")),
    parameters.map(
        lambda v: (
            b"".join(
                b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
                % (json.dumps(k)[1:-1].encode(), json.dumps(x).encode())
                for k, x in v.items()
            )
            + b'--b\r\nContent-Disposition: form-data; name="photo"; filename="x"\r\n\r\nx\r\n--b--',
            "multipart/form-data; boundary=b",
        )
    ),
)
calls = st.tuples(methods, bodies)


def populate(server: BotApiServer) -> None:
    ada = server.user(5)
    server.say(ada, "hello 😀 there")
    forum = server.group(-7, "Forum", [ada], forum=True, username="forum")
    server.say(ada, "x", forum)


async def throw(session: aiohttp.ClientSession, url: URL, body: bytes, kind: str) -> Any:
    async with session.post(url, data=body, headers={"Content-Type": kind}) as response:
        answer = json.loads(await response.read())
        return response.status, answer


def check_shape(status: int, answer: Any) -> None:
    if status == 200:
        assert answer["ok"] is True
        assert "result" in answer
        return
    assert status in SEEN
    assert answer["ok"] is False
    assert answer["error_code"] == status
    assert answer["description"]


@settings(max_examples=60, deadline=None, phases=(Phase.reuse, Phase.generate))
@given(st.lists(calls, min_size=10, max_size=30))
def test_every_answer_has_the_shape(thrown: list[tuple[str, tuple[bytes, str]]]) -> None:
    async def main() -> None:
        rules = PollRules(single_interval=0, short_interval=0)
        async with BotApiServer(poll_rules=rules) as server, aiohttp.ClientSession() as session:
            populate(server)
            for name, (body, kind) in thrown:
                url = f"{server.root}/bot{server.token}/{quote(name, safe='')}"
                check_shape(*await throw(session, URL(url, encoded=True), body, kind))
            assert server.crashes == []

    asyncio.run(main())
