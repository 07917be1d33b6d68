"""Everything that people may send a bot, once: what a plugin's conformance is tried with."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Final

import httpx

from .harness import Harness
from .http import FakeHttp
from .telegram import BOT, Sent
from .writing import ADA, EPOCH, Group, User

CANARY: Final = "qzxcanary"
"""Stands in every message of the play, and must stand nowhere afterwards."""
GROUP: Final = Group(-100_200_300, "A group")
BOB: Final = User(8_001, "Bob")
PNG: Final = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""A picture of one pixel."""
TEXTS: Final = (
    f"{CANARY} hello",
    f"{CANARY} " + "long " * 800,
    f"{CANARY} 👩‍👩‍👧‍👦 e\u0301 \u202eright to left\u202c שלום مرحبا 你好",
    f"{CANARY} <b>not bold</b> `code` https://example.org/?q=1 @somebody #tag",
    f"{CANARY}\n\n\n\t\u200b\u2028",
    ".",
)
ARGUMENTS: Final = (
    "",
    CANARY,
    f"{CANARY} -1 0 999999999999999999999 1e309 nan",
    f'"{CANARY} not closed',
    f"{CANARY} 👩‍👩‍👧‍👦 \u202e你好",
    f"{CANARY} " + "x" * 3500,
)
"""What stands after a command: too little, the wrong kind, too much."""


class NoServices(FakeHttp):
    """Every service is down; ``requests`` says which were asked."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """As httpx's transports."""
        await request.aread()
        self.requests.append(request)
        raise httpx.ConnectError("no service can be reached here", request=request)


def commands(bot: Harness, plugin: str) -> list[str]:
    """The names of the plugin's commands, without aliases."""
    known = bot.worker.tables.commands.values()
    return sorted({command.name for command in known if command.plugin == plugin})


def arguments(bot: Harness, plugin: str) -> Iterator[str]:
    """Write each command with :data:`ARGUMENTS`, in private; yields what was written."""
    for name in commands(bot, plugin):
        for given in ARGUMENTS:
            text = f"/{name} {given}".strip()
            bot.say(text, sender=ADA)
            yield text


def messages(bot: Harness) -> Iterator[str]:
    """Write every kind of message, in private and in a group; yields what kind it was."""
    for chat in (None, GROUP):
        where = "in private" if chat is None else "in a group"
        for text in TEXTS:
            bot.say(text, chat=chat)
            yield f"a text {where}"
            if chat is not None:
                bot.say(f"@{BOT.username} {text}", chat=chat, sender=BOB)
                yield "a mention"
        yield from _files(bot, chat, where)
        yield from _rare(bot, chat, where)
        for sent in bot.sent[-1:]:
            bot.say(f"{CANARY} and this?", chat=chat, reply_to=sent)
            yield f"a reply {where}"
    yield from _presses(bot)


def everything(bot: Harness, plugin: str) -> Iterator[str]:
    """Both of them."""
    yield from arguments(bot, plugin)
    yield from messages(bot)


def _files(bot: Harness, chat: Group | None, where: str) -> Iterator[str]:
    broken = CANARY.encode()
    for name, file in (("a picture", PNG), ("a picture that is damaged", broken)):
        bot.say(CANARY, photo=file, chat=chat)
        yield f"{name} {where}"
    for kind in ("voice", "audio", "video", "video_note", "sticker"):
        bot.say(CANARY, chat=chat, **{kind: broken})  # type: ignore[arg-type]
        yield f"a {kind} that is damaged {where}"
    bot.say(CANARY, document=(f"{CANARY}.pdf", broken, "application/pdf"), chat=chat)
    yield f"a document {where}"
    bot.album(PNG, PNG, text=CANARY, chat=chat)
    yield f"an album {where}"


def _rare(bot: Harness, chat: Group | None, where: str) -> Iterator[str]:
    """Kinds that :meth:`Harness.say` does not write."""
    place = {"latitude": 52.5, "longitude": 13.4}
    origin = {"type": "hidden_user", "date": EPOCH, "sender_user_name": CANARY}
    option = {"text": CANARY, "voter_count": 0}
    for name, more in {
        "a location": {"location": place},
        "a contact": {"contact": {"phone_number": "+1", "first_name": CANARY}},
        "a die": {"dice": {"emoji": "🎲", "value": 3}},
        "a poll": {
            "poll": {
                "id": "1",
                "question": CANARY,
                "options": [option, option],
                "total_voter_count": 0,
                "is_closed": False,
                "is_anonymous": True,
                "type": "regular",
                "allows_multiple_answers": False,
            }
        },
        "somebody who joined": {"new_chat_members": [_person(BOB)]},
        "a pinned title": {"new_chat_title": CANARY},
    }.items():
        update = bot._message("", ADA, chat, None)
        del update["message"]["text"], update["message"]["entities"]
        bot.inject({"message": update["message"] | more})
        yield f"{name} {where}"
    update = bot._message(f"{CANARY} forwarded", ADA, chat, None)
    bot.inject({"message": update["message"] | {"forward_origin": origin}})
    yield f"a forwarded message {where}"
    edited = deepcopy(bot.said[-1].message) | {"text": f"{CANARY} edited", "edit_date": EPOCH + 9}
    bot.inject({"edited_message": edited})
    yield f"an edit {where}"


def _presses(bot: Harness) -> Iterator[str]:
    for sent in [sent for sent in bot.telegram.shown() if sent.buttons]:
        for button in (button for row in sent.buttons for button in row if not button.url):
            bot.press(button.text, message=sent)
            yield "a press of a button"
            if any(shown.id == sent.id and shown.buttons for shown in bot.telegram.shown()):
                _tampered(bot, sent.buttons[0][0].text, sent)
                yield "a press with data that somebody made up"
            break


def _tampered(bot: Harness, text: str, sent: Sent) -> None:
    try:
        shown, data = bot._button(text, sent)
    except LookupError:  # the press before has changed the buttons
        return
    bot.inject(bot._writer.press(shown, f"{data[:20]}{CANARY}", BOB))


def _person(given: User) -> dict[str, Any]:
    return {"id": given.id, "is_bot": False, "first_name": given.name}
