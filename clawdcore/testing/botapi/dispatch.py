"""A call's way from its parameters to its answer; no HTTP here."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import chats, editing, sending
from .core import Core
from .errors import JSON, ApiError, bad_request, conflict, too_many_requests
from .limits import FloodGate, Limits
from .request import Call, Upload
from .spec import Method, Spec, check
from .updates import CONFLICT_SET, Poller, PollRules
from .webhook import Webhook, WebhookSender, check_webhook

log = logging.getLogger(__name__)
Handler = Callable[[Core, Call], Any]
HANDLERS: dict[str, Handler] = {
    "sendmessage": sending.send_message,
    "sendmessagedraft": sending.send_message_draft,
    "sendphoto": sending.send_file,
    "senddocument": sending.send_file,
    "sendvoice": sending.send_file,
    "sendchataction": sending.send_chat_action,
    "editmessagetext": editing.edit_message_text,
    "editmessagereplymarkup": editing.edit_message_reply_markup,
    "deletemessage": editing.delete_message,
    "deletemessages": editing.delete_messages,
    "setmessagereaction": editing.set_message_reaction,
    "getchat": chats.get_chat,
    "getchatmember": chats.get_chat_member,
    "getchatmembercount": chats.get_chat_member_count,
    "getchatadministrators": chats.get_chat_administrators,
    "leavechat": chats.leave_chat,
    "getfile": chats.get_file,
    "answercallbackquery": chats.answer_callback_query,
    "setmycommands": chats.set_my_commands,
    "getmycommands": chats.get_my_commands,
    "deletemycommands": chats.delete_my_commands,
}
COUNTED = frozenset({"sendmessage", "sendphoto", "senddocument", "sendvoice", "editmessagetext"})
"""Methods that count against the flood limits."""
SERVER_METHODS = frozenset({"getme", "getupdates", "setwebhook", "deletewebhook", "getwebhookinfo"})
_EMPTY = {"chat_id": "chat_id is empty", "text": "message text is empty"}


@dataclass(frozen=True, slots=True)
class Rules:
    """What the server enforces; times in seconds."""

    limits: Limits = field(default_factory=Limits)
    poll: PollRules = field(default_factory=PollRules)
    webhook_retry: float = 1.0
    webhook_hosts: frozenset[str] = frozenset()


class Dispatcher:
    """Checks calls, counts them, and runs them.

    ``keep`` bounds the violations; ``me`` is what `getMe` answers.
    """

    def __init__(
        self,
        core: Core,
        spec: Spec,
        rules: Rules,
        me: JSON,
        *,
        now: Callable[[], float],
        keep: int,
    ) -> None:
        self._core = core
        self._spec = spec
        self._me = me
        self._now = now
        self._keep = keep
        self._webhook_hosts = rules.webhook_hosts
        self.gate = FloodGate(rules.limits)
        self.calls: Counter[str] = Counter()
        self.violations: list[str] = []
        self.crashes: list[str] = []
        self.poller = Poller(core.queue, now, rules.poll)
        self.hook = WebhookSender(
            core.queue,
            core.world.clock,
            retry=rules.webhook_retry,
            reply=self.webhook_reply,
            changed=core.journal.changed,
        )

    def wake(self) -> None:
        """An update came."""
        self.poller.wake()
        self.hook.wake()
        self._core.journal.changed()

    def method(self, name: str) -> Method:
        """The method of this name in any case.

        Raises:
            ApiError: 404.
        """
        method = self._spec.methods.get(name.lower())
        if method is None:
            raise ApiError(404, "Not Found")
        return method

    async def run(self, method: Method, given: JSON, uploads: dict[str, Upload]) -> bytes:
        """One call; the answer's body.

        Raises:
            ApiError: the call is refused.
        """
        call = self._checked(method, given, uploads)
        name = method.name.lower()
        if name == "getupdates":
            return await self._get_updates(call)
        answer: JSON = {"ok": True}
        if name in HANDLERS:
            if name in COUNTED:
                self._admit(call)
            answer["result"] = HANDLERS[name](self._core, call)
        elif name == "getme":
            answer["result"] = self._me
        elif name == "getwebhookinfo":
            allowed = sorted(self._core.queue.allowed)
            answer["result"] = self.hook.info() | {"allowed_updates": allowed}
        elif name in ("setwebhook", "deletewebhook"):
            answer["description"] = await self._set_webhook(call)
            answer["result"] = True
        else:
            raise ApiError(
                501, f"Not Implemented: {method.name} is not implemented by the local server"
            )
        return json.dumps(answer, ensure_ascii=False).encode()

    def _checked(self, method: Method, given: JSON, uploads: dict[str, Upload]) -> Call:
        checked = check(method, given, frozenset(uploads))
        found = (
            ("unknown", checked.unknown),
            ("missing", checked.missing),
            ("wrong type of", checked.wrong),
        )
        for what, names in found:
            for name in names:
                self._violated(f"{method.name}: {what} parameter {name[:64]}")
        if checked.missing:
            name = checked.missing[0]
            raise bad_request(_EMPTY.get(name, f'parameter "{name}" is required'))
        if checked.wrong:
            raise bad_request(f'parameter "{checked.wrong[0]}" has a wrong type')
        return Call(method.name, checked.values, uploads)

    def _admit(self, call: Call) -> None:
        chat_id = call.values.get("chat_id")
        if chat_id is None:
            return
        chat = self._core.world.find_chat(chat_id)
        wait = self.gate.admit(chat.id, group=chat.is_group, now=self._now())
        if wait:
            raise too_many_requests(wait)

    async def _get_updates(self, call: Call) -> bytes:
        poll = self.poller.poll(
            call.get("offset", 0),
            call.get("limit", 100),
            call.get("timeout", 0),
            call.values.get("allowed_updates"),
        )
        self._core.journal.changed()
        entries = await poll
        self._core.journal.changed()
        return b'{"ok":true,"result":[' + b",".join(e.body for e in entries) + b"]}"

    async def _set_webhook(self, call: Call) -> str:
        url = call.get("url", "") if call.method == "setWebhook" else ""
        hook = Webhook(
            url,
            call.get("secret_token", ""),
            min(max(call.get("max_connections", 40), 1), 100),
            "certificate" in call.values,
        )
        if url:
            check_webhook(url, hook.secret, self._webhook_hosts)
        if call.get("drop_pending_updates", False):
            self._core.queue.clear()
        self._core.queue.allow(call.values.get("allowed_updates"))
        old = self.hook.hook
        self.poller.webhook_active = bool(url)
        if url:
            self.poller.abort(conflict(CONFLICT_SET))
        if old == (hook if url else None):
            return "Webhook is already set" if url else "Webhook is already deleted"
        await self.hook.use(hook if url else None)
        self._core.journal.changed()
        return "Webhook was set" if url else "Webhook was deleted"

    async def webhook_reply(self, answer: JSON) -> None:
        """A method call in a webhook's answer: run, its result is not told."""
        name = str(answer["method"])
        method = self._spec.methods.get(name.lower())
        try:
            if method is None or method.name.lower() in SERVER_METHODS:
                raise bad_request("no such method in a webhook's answer")
            self.calls[method.name] += 1
            await self.run(method, {k: v for k, v in answer.items() if k != "method"}, {})
        except ApiError as error:
            self._violated(f"{name[:64]} in a webhook's answer: error {error.code}")
        except Exception as error:  # noqa: BLE001 - our own bug: kept for the test to see
            self.crashed(error)

    def _violated(self, rule: str) -> None:
        self.violations.append(rule)
        del self.violations[: -self._keep]

    def crashed(self, error: Exception) -> None:
        """Keep where the server itself failed: kinds and frames, no content."""
        frames: list[str] = []
        trace = error.__traceback__
        while trace is not None:
            frames.append(f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}")
            trace = trace.tb_next
        where = f"{type(error).__name__} at {' > '.join(frames)}"
        self.crashes.append(where)
        del self.crashes[:-100]
        log.error("the local Bot API server failed: %s", where)
