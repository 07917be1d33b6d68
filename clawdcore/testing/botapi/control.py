"""Control over HTTP, for a server in a process of its own: `/__control/…`, JSON.

============================ ==================================================
POST /__control/user         id, first_name?, username?, language_code? -> User
POST /__control/group        id, title, members? (user ids), forum? -> Chat
POST /__control/say          user (id), text, chat?, reply_to?, thread? -> Message
POST /__control/edit         chat, message_id, text -> Message
POST /__control/attach       user, kind, data (base64), chat?, caption? -> Message
POST /__control/press        user, chat, message_id, button -> id
GET  /__control/events       after=N, timeout=S: records after N, and the last number
GET  /__control/state        pending, polling, webhook, calls, violations
============================ ==================================================

An answer is ``{"ok": true, "result": …}``, or ``{"ok": false, "description": …}``
with status 400, or 403 where the request names another host than loopback.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from .errors import JSON
from .loopback import is_loopback
from .state import User

if TYPE_CHECKING:
    from .server import BotApiServer

MAX_TIMEOUT = 60.0
Action = Callable[["BotApiServer", JSON], Any]


def control_routes(server: BotApiServer) -> list[web.RouteDef]:
    """The control routes of one server."""
    actions: dict[str, Action] = {
        "user": _user,
        "group": _group,
        "say": _say,
        "edit": _edit,
        "attach": _attach,
        "press": _press,
    }
    routes = [
        web.post(f"/__control/{name}", _guarded(_posted(server, action)))
        for name, action in actions.items()
    ]

    async def events(request: web.Request) -> Any:
        after = int(request.query.get("after", "0"))
        timeout = min(max(float(request.query.get("timeout", "0")), 0.0), MAX_TIMEOUT)
        try:
            records = await server.wait(lambda: server.records(after), timeout)
        except TimeoutError:
            records = []
        last = records[-1].n if records else after
        return {"events": [record.event() for record in records], "last": last}

    async def state(request: web.Request) -> Any:
        return {
            "pending": server.pending,
            "polling": server.polling,
            "webhook": bool(server.webhook_url),
            "calls": dict(server.calls),
            "violations": server.violations[-100:],
        }

    routes.append(web.get("/__control/events", _guarded(events)))
    routes.append(web.get("/__control/state", _guarded(state)))
    return routes


def _posted(server: BotApiServer, action: Action) -> Callable[[web.Request], Awaitable[Any]]:
    async def run(request: web.Request) -> Any:
        body = json.loads(await request.read())
        if not isinstance(body, dict):
            raise TypeError("expected a JSON object")
        return action(server, body)

    return run


def _guarded(
    inner: Callable[[web.Request], Awaitable[Any]],
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        host = request.url.host or ""
        if not is_loopback(host):
            return _refused(403, "the control routes answer on loopback only")
        try:
            return web.json_response({"ok": True, "result": await inner(request)})
        except KeyError as error:
            return _refused(400, f"missing field {error.args[0]!r}")
        except (LookupError, OverflowError, TypeError, ValueError, RecursionError) as error:
            return _refused(400, str(error))

    return handle


def _refused(status: int, why: str) -> web.Response:
    return web.json_response({"ok": False, "description": why}, status=status)


def _known(server: BotApiServer, user_id: Any) -> User:
    found = server.known_user(_number(user_id))
    if found is None:
        raise LookupError("no such user: make it with /__control/user first")
    return found


def _number(value: Any) -> int:
    if type(value) is not int:
        raise TypeError("an id is a JSON number")
    return value


def _words(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is a JSON string")
    return value


def _user(server: BotApiServer, body: JSON) -> Any:
    user = server.user(
        _number(body["id"]),
        _words(body.get("first_name", "Ada")),
        _words(body.get("username", "")),
        _words(body.get("language_code", "en")),
    )
    if body.get("started", True):
        server.private(user)
    return user.json()


def _group(server: BotApiServer, body: JSON) -> Any:
    members = [_known(server, user_id) for user_id in body.get("members", [])]
    chat = server.group(
        _number(body["id"]),
        _words(body["title"]),
        members,
        forum=bool(body.get("forum", False)),
    )
    return chat.json()


def _place(body: JSON) -> int | None:
    return None if body.get("chat") is None else _number(body["chat"])


def _say(server: BotApiServer, body: JSON) -> Any:
    return server.say(
        _known(server, body["user"]),
        _words(body["text"]),
        _place(body),
        body.get("reply_to") and _number(body["reply_to"]),
        thread=body.get("thread") and _number(body["thread"]),
    )


def _edit(server: BotApiServer, body: JSON) -> Any:
    return server.edit(_number(body["message_id"]), _words(body["text"]), _number(body["chat"]))


def _attach(server: BotApiServer, body: JSON) -> Any:
    return server.attach(
        _known(server, body["user"]),
        _words(body["kind"]),
        base64.b64decode(_words(body["data"]), validate=True),
        _place(body),
        caption=_words(body.get("caption", "")),
        name=_words(body.get("name", "")),
    )


def _press(server: BotApiServer, body: JSON) -> Any:
    user = _known(server, body["user"])
    return server.press(
        user, _number(body["message_id"]), _words(body["button"]), _number(body["chat"])
    )
