"""The contract with plugins: every hook, what it gets, and how results combine.

A plugin implements the hooks that it needs with :data:`hookimpl` and leaves
the rest out. An implementation may name fewer arguments than the hook has.
Registrations run once, at load; nothing of pluggy runs while messages do.

All ``register_*`` hooks must be plain functions. ``startup``, ``shutdown``,
``prepare_reply``, ``reply_delivered``, ``forget`` and ``privacy_notes`` may be
``async def`` or plain; a plain one runs in a thread, off the event loop.
"""

# pyright: reportUnusedParameter=false
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pluggy

if TYPE_CHECKING:
    import click
    from pydantic import BaseModel

    from ..messages import Message, Receipt, Reply
    from .context import Context
    from .needs import Needs
    from .registration import (
        RegisterBackend,
        RegisterButton,
        RegisterCommand,
        RegisterHandler,
        RegisterReader,
    )
    from .scope import Scope

PROJECT: Final = "clawdbot"
"""The entry point group, and pluggy's project name."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def register_commands(register: RegisterCommand, context: Context) -> None:
    """Add commands: ``@register("hello")`` above a typed function.

    The function's first argument gets the :class:`~clawdcore.Message`; its
    other arguments are parsed from the words after the command by their
    annotations. Its docstring's first line is the help. All plugins' commands
    are taken; two commands of one name stop the later plugin, and so does
    one called start or help, which are the bot's own.
    """


@hookspec
def register_handlers(register: RegisterHandler, context: Context) -> None:
    """Add handlers for messages that are no command.

    ``@register("text", addressed=True)`` above a function that takes the
    message and returns a reply, or :data:`~clawdcore.PASS`. They are asked in
    the order of the plugin list; the first that doesn't pass wins.
    """


@hookspec
def register_buttons(register: RegisterButton, context: Context) -> None:
    """Add what buttons do: ``@register("name")`` above a function of a press.

    It gets the :class:`~clawdcore.Press` of a :class:`~clawdcore.Button` of that name
    and returns a reply, an :class:`~clawdcore.Edit`, a :class:`~clawdcore.Delete`, a
    :class:`~clawdcore.Toast`, several of these as a tuple, or None. Names are the
    plugin's own: two plugins may use the same.
    """


@hookspec
def register_readers(register: RegisterReader, context: Context) -> None:
    """Add readers, which turn an attachment into text (OCR, voice).

    ``@register("photo")`` above a function that takes the
    :class:`~clawdcore.Attachment`, and the message where it names a second
    argument ``message``, and returns str, or PASS. They run lazily, when
    somebody first awaits ``message.text()``; the first that doesn't pass wins.
    """


@hookspec
def register_backends(register: RegisterBackend) -> None:
    """Add model servers: ``register("name", factory)``.

    ``factory(provider)`` gets the provider's :class:`~clawdcore.ProviderConfig`
    and returns a :class:`~clawdcore.Backend`. It must not connect yet. A
    provider ``models.providers.NAME`` is served by the backend of that name.
    """


@hookspec
def register_cli(group: click.Group) -> None:
    """Add subcommands of ``clawdbot`` to ``group`` (a :class:`click.Group`)."""


@hookspec
def options_model() -> type[BaseModel] | None:
    """The pydantic model of the plugin's options.

    ``options`` in the plugin's list entry is validated with it; the result is
    ``context.options``. Wrong options disable this plugin and say so.
    """


@hookspec
def needs(options: Any) -> Needs | None:
    """Say what the plugin needs of the world: hosts, storage, chats.

    Plain, and asked once, at load, with the options; returns :class:`~clawdcore.Needs`.
    ``context.http`` refuses hosts that are not named. Without it a plugin needs nothing.
    """


@hookspec
def startup(context: Context) -> Any:
    """Runs once before the first message. Failing disables the plugin."""


@hookspec
def shutdown(context: Context) -> Any:
    """Runs once after the last message; bounded to five seconds."""


@hookspec
def prepare_reply(reply: Reply, message: Message, notice: bool, context: Context) -> Any:
    """Sees each reply before it is sent, and may return another; bounded to two seconds.

    ``notice``: it is words of the bot's own in place of an answer (busy, failed, usage);
    an answer that broke off is none.

    Plugins run in list order, each getting what the one before returned; None
    changes nothing.
    """


@hookspec
def reply_delivered(receipt: Receipt, context: Context) -> Any:
    """Told what became of each reply. Results are ignored."""


@hookspec
def forget(scope: Scope, language: str, context: Context) -> Any:
    """Erase all that the plugin holds of a chat or a user.

    Returns what it held, in a few words in ``language`` (as
    :attr:`clawdcore.Sender.language`; of whoever asks), or None for nothing.
    All plugins are asked; the answers are listed. :meth:`clawdcore.Control.forget` asks;
    the command for people comes with the plugin ``commands``.
    """


@hookspec
def privacy_notes(language: str, context: Context) -> Any:
    """Say what of people's words leaves this machine, and to whom.

    Returns one sentence in ``language`` (as :attr:`clawdcore.Sender.language`), or None
    where nothing does. All plugins are asked; the answers are listed.
    :meth:`clawdcore.Control.privacy` asks.
    """
