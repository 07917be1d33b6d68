"""What a button's function gives: words to the presser, changes of the message, a reply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..broker import AnswerPress, DeleteMessage, EditMessage, Outcome, Port, ToEdge, ToWorker
from ..errors import PluginError
from ..hooks import callbacks
from ..hooks.registration import ButtonEntry
from ..messages import Delete, Edit, Message, Press, Reply, Toast
from ..texts import translator
from . import notices
from .results import FORMATS, Caller, encodable

if TYPE_CHECKING:
    from .dispatch import Job

TOAST_LIMIT: Final = 200
"""Characters that Telegram shows of an answer to a press
(core.telegram.org/bots/api#answercallbackquery)."""


def as_message(press: Press) -> Message:
    """The pressed message as if the presser had written it, for all that goes by senders."""
    return Message(
        id=press.message.id,
        update_id=press.update_id,
        chat=press.chat,
        sender=press.sender,
        time=press.message.time,
    )


def gone(language: str) -> str:
    """The button's plugin is not there any more, or does not know it."""
    return translator(language)("This button no longer works.")


def caller(button: ButtonEntry, job: Job, port: Port[ToEdge, ToWorker]) -> Caller:
    """The button's function as the pipeline calls one: it returns the reply, if there is any.

    Changes go out at once, what is to be said to the presser into ``job.toast``.
    """

    async def run(message: Message) -> Any:
        assert job.press is not None
        given = await button.function(job.press)
        results = given if isinstance(given, tuple | list) else (given,)
        changes: list[EditMessage | DeleteMessage] = []
        replies: list[Any] = []
        toasts: list[Toast] = []
        for result in results:
            match result:
                case Toast():
                    toasts.append(_said(button.plugin, result))
                case Edit() | Delete():
                    changes.append(_change(button.plugin, message, result))
                case None:
                    continue
                case _:
                    replies.append(result)
        if max(map(len, (changes, replies, toasts))) > 1:
            raise PluginError(
                f"plugin {button.plugin!r} returned more than one of a kind for a press.",
                plugin=button.plugin,
                fix="Return at most one reply, one Toast, and one Edit or Delete.",
            )
        job.toast = toasts[0] if toasts else None
        for change in changes:
            await port.send(change)
        return replies[0] if replies else None

    return run


async def answer(
    port: Port[ToEdge, ToWorker], update: int, job: Job, reply: Reply | None, outcome: Outcome
) -> Reply | None:
    """End the presser's wait; returns what is still to be sent to the chat.

    A notice is said to the presser alone, who is the only one that it is for, unless
    a part of an answer was shown already; so is that there is no room for the press.
    """
    assert job.press is not None
    toast = job.toast or Toast("")
    if job.refused is not None:
        toast, job.refused = Toast(notices.backend(job.refused, job.press.language)), None
    if reply is not None and outcome is Outcome.NOTICED and not job.written():
        toast, reply = Toast(reply.text), None
    text = encodable(toast.text[:TOAST_LIMIT])
    await port.send(AnswerPress(update, job.press.query, text, toast.alert))
    return reply


def _said(plugin: str, toast: Toast) -> Toast:
    text: Any = toast.text  # not checked when it was made
    if isinstance(text, str):
        return toast
    raise PluginError(
        f"plugin {plugin!r} returned a Toast without a text.", plugin=plugin, fix="Give it a str."
    )


def _change(plugin: str, message: Message, change: Edit | Delete) -> EditMessage | DeleteMessage:
    chat = message.chat.id
    if isinstance(change, Delete):
        return DeleteMessage(chat, message.id)
    text: Any = change.text  # as above
    sayable = text is None or (isinstance(text, str) and text.strip())
    if not sayable or change.format not in FORMATS:
        raise PluginError(
            f"plugin {plugin!r} returned an Edit whose text or format can't be sent.",
            plugin=plugin,
            fix=f"Give it a str that is not empty, and one of the formats {' and '.join(FORMATS)}.",
        )
    buttons = callbacks.checked(plugin, change.buttons)
    text = None if text is None else encodable(text)
    return EditMessage(chat, message.id, text, change.format, buttons)
