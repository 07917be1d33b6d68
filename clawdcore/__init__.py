"""ClawdBot: a Telegram assistant made for message floods, and its plugin framework.

Everything that a plugin or a backend may import is named here; nothing deeper
is promised to stay. The names are looked up when first used, so that
``clawdbot --help`` imports neither a web server nor Telegram.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .backend import (
        ApiCall,
        Audio,
        Backend,
        Chunk,
        Image,
        Load,
        ModelInfo,
        Priority,
        Relayed,
        Replica,
        Request,
        Tool,
        ToolCall,
        Transcript,
        Turn,
        Usage,
    )
    from .config import ModelConfig, PluginConfig, ProviderConfig
    from .errors import (
        BackendError,
        BackendUnavailable,
        BadAnswer,
        ChatUnavailable,
        ClawdBotError,
        ContextOverflow,
        EngineDead,
        FileUnavailable,
        GenerationFailed,
        ModelFileMissing,
        ModelNotFound,
        Overloaded,
        PluginError,
        RequestRefused,
        ServerSlow,
        StorageError,
        StreamCut,
        TooLate,
        UsageError,
        ValueTooLarge,
    )
    from .hooks.chats import Chats, Member
    from .hooks.context import Call, Context, Memory, Models, Schedule, Storage
    from .hooks.control import Control, Held, Status
    from .hooks.hookspecs import hookimpl
    from .hooks.http import HostRefused
    from .hooks.needs import Needs
    from .hooks.registration import (
        RegisterBackend,
        RegisterButton,
        RegisterCommand,
        RegisterHandler,
        RegisterReader,
    )
    from .hooks.scope import Scope
    from .hooks.tools import Tools
    from .messages import (
        PASS,
        Attachment,
        Button,
        Chat,
        Delete,
        Edit,
        Kind,
        Message,
        Part,
        Press,
        Receipt,
        Reply,
        Sender,
        Toast,
    )
    from .texts import translator

__version__ = "0.1.0"

_HOMES: Final = {
    "backend": (
        "ApiCall",
        "Audio",
        "Backend",
        "Chunk",
        "Image",
        "Load",
        "ModelInfo",
        "Priority",
        "Relayed",
        "Replica",
        "Request",
        "Tool",
        "ToolCall",
        "Transcript",
        "Turn",
        "Usage",
    ),
    "config": ("ModelConfig", "PluginConfig", "ProviderConfig"),
    "errors": (
        "BackendError",
        "BackendUnavailable",
        "BadAnswer",
        "ChatUnavailable",
        "ClawdBotError",
        "ContextOverflow",
        "EngineDead",
        "FileUnavailable",
        "GenerationFailed",
        "ModelFileMissing",
        "ModelNotFound",
        "Overloaded",
        "PluginError",
        "RequestRefused",
        "ServerSlow",
        "StorageError",
        "StreamCut",
        "TooLate",
        "UsageError",
        "ValueTooLarge",
    ),
    "hooks.chats": ("Chats", "Member"),
    "hooks.context": ("Call", "Context", "Memory", "Models", "Schedule", "Storage"),
    "hooks.control": ("Control", "Held", "Status"),
    "hooks.hookspecs": ("hookimpl",),
    "hooks.http": ("HostRefused",),
    "hooks.needs": ("Needs",),
    "hooks.registration": (
        "RegisterBackend",
        "RegisterButton",
        "RegisterCommand",
        "RegisterHandler",
        "RegisterReader",
    ),
    "hooks.scope": ("Scope",),
    "hooks.tools": ("Tools",),
    "messages": (
        "PASS",
        "Attachment",
        "Button",
        "Chat",
        "Delete",
        "Edit",
        "Kind",
        "Message",
        "Part",
        "Press",
        "Receipt",
        "Reply",
        "Sender",
        "Toast",
    ),
    "texts": ("translator",),
}
_HOME_OF: Final = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "PASS",
    "ApiCall",
    "Attachment",
    "Audio",
    "Backend",
    "BackendError",
    "BackendUnavailable",
    "BadAnswer",
    "Button",
    "Call",
    "Chat",
    "ChatUnavailable",
    "Chats",
    "Chunk",
    "ClawdBotError",
    "Context",
    "ContextOverflow",
    "Control",
    "Delete",
    "Edit",
    "EngineDead",
    "FileUnavailable",
    "GenerationFailed",
    "Held",
    "HostRefused",
    "Image",
    "Kind",
    "Load",
    "Member",
    "Memory",
    "Message",
    "ModelConfig",
    "ModelFileMissing",
    "ModelInfo",
    "ModelNotFound",
    "Models",
    "Needs",
    "Overloaded",
    "Part",
    "PluginConfig",
    "PluginError",
    "Press",
    "Priority",
    "ProviderConfig",
    "Receipt",
    "RegisterBackend",
    "RegisterButton",
    "RegisterCommand",
    "RegisterHandler",
    "RegisterReader",
    "Relayed",
    "Replica",
    "Reply",
    "Request",
    "RequestRefused",
    "Schedule",
    "Scope",
    "Sender",
    "ServerSlow",
    "Status",
    "Storage",
    "StorageError",
    "StreamCut",
    "Toast",
    "TooLate",
    "Tool",
    "ToolCall",
    "Tools",
    "Transcript",
    "Turn",
    "Usage",
    "UsageError",
    "ValueTooLarge",
    "__version__",
    "hookimpl",
    "translator",
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        if name.startswith("_"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from .deprecations import replaced

        if instead := replaced(name):
            return __getattr__(instead)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
