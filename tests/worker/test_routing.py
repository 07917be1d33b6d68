"""Look-ups of commands and handlers."""

from __future__ import annotations

from clawdcore.hooks.command import Command
from clawdcore.hooks.registration import Handler
from clawdcore.messages import Attachment, Chat, Message, Sender
from clawdcore.worker.routing import Routes
from clawdcore.worker.threads import Threads


async def answer(message: Message) -> str:
    """Answer"""
    return "x"


def message(command: str = "", *attachments: Attachment) -> Message:
    return Message(
        id=1,
        update_id=1,
        chat=Chat(1, "private"),
        sender=Sender(1, "A"),
        command=command,
        attachments=attachments,
    )


def handler(name: str, *kinds: str, addressed: bool = True) -> Handler:
    return Handler(name, answer, kinds, addressed, None)  # type: ignore[arg-type]


def test_command_by_name() -> None:
    command = Command.of(answer, plugin="p", name="fx")
    routes = Routes({"fx": command}, [], Threads())
    assert routes.command(message("fx")) is command
    assert routes.command(message("fy")) is None
    assert routes.command(message("")) is None
    assert routes.nearest("fxx") == "fx"
    assert routes.nearest("weather") == ""


def test_handlers_by_kind_and_address_in_order() -> None:
    first, second = handler("a", "text", "photo"), handler("b", "text")
    overheard = handler("c", "text", addressed=False)
    routes = Routes({}, [first, second, overheard], Threads())
    assert routes.handlers(message(), addressed=True) == (first, second)
    assert routes.handlers(message(), addressed=False) == (overheard,)
    assert routes.handlers(message("", Attachment("photo", "f")), addressed=True) == (first,)
    assert routes.handlers(message("", Attachment("voice", "f")), addressed=True) == ()
