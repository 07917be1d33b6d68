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
ids = st.sampled_from([5, -7, "5", "@forum", 1, 2, 3])
markup = st.lists(st.sampled_from([*"<>/&;*_`[]()\\|~.", "<b>", "</b>", "😀", "/x "])).map("".join)


def mostly(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(good, good, good, good, good, good, anything)


plausible = st.fixed_dictionaries(
    {
        "chat_id": mostly(ids),
        "text": mostly(markup | st.text(max_size=20)),
        "message_id": mostly(ids),
        "message_ids": mostly(st.lists(ids, max_size=3)),
        "draft_id": mostly(ids),
        "action": mostly(st.just("typing")),
        "commands": mostly(st.lists(st.just({"command": "x", "description": "y"}))),
        "file_id": mostly(st.just("photo-00000001")),
        "user_id": mostly(ids),
        "callback_query_id": anything,
        "voice": mostly(st.just("photo-00000001")),
        "document": mostly(st.just("attach://photo")),
    },
    optional={
        "photo": anything,
        "parse_mode": mostly(st.sampled_from(["HTML", "MarkdownV2", "Markdown"])),
        "caption": markup | anything,
        "entities": st.lists(
            st.fixed_dictionaries(
                {"type": st.sampled_from(["bold", "text_link", "pre", "text_mention"]) | anything,
                 "offset": st.integers(-1, 4) | anything,
                 "length": st.integers(-1, 4) | anything},
                optional={"url": anything, "user": anything, "language": anything},
            )
            | anything,
            max_size=3,
        ),
        "reply_parameters": st.fixed_dictionaries(
            {"message_id": ids | anything},
            optional={"chat_id": ids | anything, "quote": st.just("hello") | anything},
        )
        | anything,
        "reply_markup": mostly(keyboards),
        "message_thread_id": anything,
        "reaction": st.lists(
            st.fixed_dictionaries(
                {"type": st.just("emoji") | anything, "emoji": st.just("🔥") | anything}
            ),
            max_size=2,
        ),
        "scope": st.fixed_dictionaries({"type": st.just("default") | anything}) | anything,
        "url": st.just("http://127.0.0.1:9/") | anything,
        "link_preview_options": anything,
        "allowed_updates": anything,
        "offset": ids | anything,
        "limit": anything,
    },
)  # fmt: skip
names = st.sampled_from(PARAMETERS) | st.text(max_size=5)
parameters = (plausible | st.dictionaries(names, anything)).map(lambda v: {**v, "timeout": 0})
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
            + b'--b\r\nContent-Disposition: form-data; name="photo"; filename="x"\r\n'
            + b"\r\nx\r\n--b--",
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


@settings(max_examples=25, deadline=None, phases=(Phase.reuse, Phase.generate))
@given(st.lists(calls, min_size=10, max_size=20))
def test_every_answer_has_the_shape(thrown: list[tuple[str, tuple[bytes, str]]]) -> None:
    async def main() -> None:
        rules = PollRules.off()
        async with BotApiServer(poll_rules=rules) as server, aiohttp.ClientSession() as session:
            populate(server)
            for name, (body, kind) in thrown:
                url = f"{server.root}/bot{server.token}/{quote(name, safe='')}"
                check_shape(*await throw(session, URL(url, encoded=True), body, kind))
            assert server.crashes == []

    asyncio.run(main())
