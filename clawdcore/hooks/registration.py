"""What the ``register`` argument of each registration hook is."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final, Protocol, TypeVar

import msgspec

from ..backend import Backend
from ..config import ProviderConfig
from ..messages import KINDS, Attachment, Format, Kind, Message
from . import callbacks
from .command import NAME, Command, check_format
from .errors import bad_registration

F = TypeVar("F", bound=Callable[..., Any])
BackendFactory = Callable[[ProviderConfig], Backend]
SerialKey = Callable[[Message], str]


class RegisterCommand(Protocol):
    """``register(name, *aliases)`` decorates a command's function.

    ``format`` is what its ``str`` and its stream are; a ``Reply`` has its own.
    ``cheaper`` is a function of the same arguments that is called in its place while
    the bot is very busy (it may return :data:`~clawdcore.PASS` to leave it to the
    command): a plain translation engine instead of the model, for example. ``tool``: a
    model may call it too (:class:`~clawdcore.Tools`). ``control``: it takes no time and no
    model, and so goes ahead of everything and takes no seat: ``/stop``, ``/status``.
    """

    def __call__(
        self,
        name: str,
        *aliases: str,
        example: str = "",
        format: Format = "plain",
        cheaper: Callable[..., Any] | None = None,
        tool: bool = False,
        control: bool = False,
    ) -> Callable[[F], F]: ...


class RegisterHandler(Protocol):
    """``register(kind, …, addressed=True, serial=None)`` decorates a handler.

    ``serial`` maps a message to a key: messages of one key are handled one
    after the other (a session). None: no order is needed. ``format`` is what
    its ``str`` and its stream are; a ``Reply`` has its own. ``cheaper`` is as for a
    command.
    """

    def __call__(
        self,
        *kinds: Kind,
        addressed: bool = True,
        serial: SerialKey | None = None,
        format: Format = "plain",
        cheaper: Callable[..., Any] | None = None,
    ) -> Callable[[F], F]: ...


class RegisterButton(Protocol):
    """``register(name)`` decorates what a button of that name does.

    ``format`` is what its ``str`` and its stream are; a ``Reply`` has its own.
    """

    def __call__(self, name: str, *, format: Format = "plain") -> Callable[[F], F]: ...


class RegisterReader(Protocol):
    """``register(kind, …)`` decorates a reader.

    It takes the attachment and, where it names a second argument ``message``,
    the message that the attachment came with.
    """

    def __call__(self, *kinds: Kind) -> Callable[[F], F]: ...


class RegisterBackend(Protocol):
    """``register(name, factory)`` adds a backend."""

    def __call__(self, name: str, factory: BackendFactory) -> None: ...


class Handler(msgspec.Struct, frozen=True):
    """A registered handler: whose it is, what it takes, its serial key, what its text is."""

    plugin: str
    function: Callable[..., Any]
    kinds: tuple[Kind, ...]
    addressed: bool
    serial: SerialKey | None
    format: Format = "plain"
    cheaper: Callable[..., Any] | None = None


class ButtonEntry(msgspec.Struct, frozen=True):
    """A registered function of a press: whose it is, its buttons' name, what its text is."""

    plugin: str
    name: str
    function: Callable[..., Any]
    format: Format = "plain"

    @property
    def key(self) -> str:
        """What the callback data of its buttons begins with."""
        return callbacks.key(self.plugin, self.name)


class ReaderEntry(msgspec.Struct, frozen=True):
    """A registered reader. ``function`` takes the attachment and its message, always both."""

    plugin: str
    function: Callable[..., Any]
    kinds: tuple[Kind, ...]


class Registry:
    """Collects what one plugin registers, before any of it takes effect."""

    def __init__(self, plugin: str) -> None:
        self.plugin = plugin
        self.commands: list[Command] = []
        self.handlers: list[Handler] = []
        self.buttons: dict[str, ButtonEntry] = {}
        self.readers: list[ReaderEntry] = []
        self.backends: dict[str, BackendFactory] = {}

    def command(
        self,
        name: str,
        *aliases: str,
        example: str = "",
        format: Format = "plain",
        cheaper: Callable[..., Any] | None = None,
        tool: bool = False,
        control: bool = False,
    ) -> Callable[[F], F]:
        """The ``register`` of ``register_commands``."""

        def decorate(function: F) -> F:
            self.commands.append(
                Command.of(
                    function,
                    plugin=self.plugin,
                    name=name,
                    aliases=aliases,
                    example=example,
                    format=format,
                    cheaper=cheaper,
                    tool=tool,
                    control=control,
                )
            )
            return function

        return decorate

    def handler(
        self,
        *kinds: Kind,
        addressed: bool = True,
        serial: SerialKey | None = None,
        format: Format = "plain",
        cheaper: Callable[..., Any] | None = None,
    ) -> Callable[[F], F]:
        """The ``register`` of ``register_handlers``."""
        self._check_kinds("register_handlers", kinds)
        check_format(self.plugin, "register_handlers", format)
        if serial is not None and _is_async(serial):
            raise bad_registration(
                self.plugin,
                "the serial key of a handler is async, but decides the order of arrival.",
                fix="Write def, not async def: serial=lambda message: message.session.",
            )

        def decorate(function: F) -> F:
            self.handlers.append(
                Handler(self.plugin, function, kinds, addressed, serial, format, cheaper)
            )
            return function

        return decorate

    def button(self, name: str, *, format: Format = "plain") -> Callable[[F], F]:
        """The ``register`` of ``register_buttons``."""
        if not NAME.fullmatch(name):
            raise bad_registration(
                self.plugin,
                f"{name!r} can't be the name of buttons.",
                fix="Use 1 to 32 of a-z, 0-9 and _.",
            )
        check_format(self.plugin, "register_buttons", format)

        def decorate(function: F) -> F:
            if name in self.buttons:
                raise bad_registration(self.plugin, f"it registers the buttons {name!r} twice.")
            self.buttons[name] = ButtonEntry(self.plugin, name, function, format)
            return function

        return decorate

    def reader(self, *kinds: Kind) -> Callable[[F], F]:
        """The ``register`` of ``register_readers``."""
        self._check_kinds("register_readers", kinds)

        def decorate(function: F) -> F:
            self.readers.append(ReaderEntry(self.plugin, self._reader(function), kinds))
            return function

        return decorate

    def backend(self, name: str, factory: BackendFactory) -> None:
        """The ``register`` of ``register_backends``."""
        if name in self.backends:
            raise bad_registration(self.plugin, f"it registers the backend {name!r} twice.")
        self.backends[name] = factory

    def _reader(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """``function`` as one of (attachment, message); async as it was."""
        try:
            first, *others = inspect.signature(function).parameters.values()
        except (TypeError, ValueError):
            first, others = None, []
        needed = [p.name for p in others if p.default is p.empty and p.kind not in _STARS]
        if first is None or set(needed) - {"message"}:
            raise bad_registration(
                self.plugin,
                f"the reader {getattr(function, '__name__', function)!s} takes other arguments.",
                fix="A reader is a function of (attachment) or (attachment, message).",
            )
        wanted = any(p.name == "message" for p in others)
        if _is_async(function):

            async def read(attachment: Attachment, message: Message) -> Any:
                return await function(attachment, **({"message": message} if wanted else {}))

            return read

        def read_in_thread(attachment: Attachment, message: Message) -> Any:
            return function(attachment, **({"message": message} if wanted else {}))

        return read_in_thread

    def _check_kinds(self, hook: str, kinds: tuple[Kind, ...]) -> None:
        unknown = [kind for kind in kinds if kind not in KINDS]
        if unknown or not kinds:
            raise bad_registration(
                self.plugin,
                f"{hook} needs message kinds, not {unknown or 'none'}.",
                fix=f"Known kinds: {', '.join(KINDS)}.",
            )


_STARS: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def _is_async(function: Callable[..., Any]) -> bool:
    """Whether a call gives something to await, also of an object with ``__call__``."""
    call = getattr(function, "__call__", None)  # noqa: B004 - its kind, not whether it is there
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)
