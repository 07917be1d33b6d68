"""Every error that this project raises, in one tree.

::

    ClawdBotError
    ├── ConfigError            the configuration can't be used (file, line, fix)
    │   ├── ConfigSyntaxError  not JSON5
    │   └── ConfigValueError   an unknown key, or a value of the wrong type
    │       └── ConfigProblems (clawdcore.config) everything that is wrong at once
    ├── PluginError            a plugin can't be loaded
    │   ├── PluginNotInstalled
    │   ├── PluginClash        two plugins claim one name
    │   ├── HookError          a hook misspelt, or with a wrong signature
    │   └── ValueTooLarge      more than fits under one key of a plugin's memory
    ├── ChannelError           Telegram can't be used
    │   ├── TokenMissing
    │   ├── TokenRefused
    │   ├── ChannelUnreachable
    │   ├── SecondPoller       somebody else polls with this token
    │   ├── PortTaken
    │   ├── FileUnavailable    a file can't be downloaded
    │   └── ChatUnavailable    of a chat Telegram tells or does nothing
    ├── BackendError           a model can't answer
    │   ├── BackendUnavailable not started, crashed, unreachable
    │   │   ├── EngineDead     the server is there, its engine is not
    │   │   ├── ServerSlow     no answer began within the time for that
    │   │   └── BadAnswer      what came is not what the API promises
    │   ├── ModelNotFound
    │   ├── ModelFileMissing   the weights are not here and can't be fetched
    │   ├── Overloaded         it has more work than it takes (``retry_after``)
    │   │   └── TooLate        it waited, and can't be done before its deadline
    │   ├── ContextOverflow    the request is longer than the model's context
    │   ├── RequestRefused     the server takes no request like this one
    │   └── GenerationFailed   it began to answer and broke
    │       └── StreamCut      the connection ended in the middle of the answer
    ├── StorageError           a setting can't be kept
    ├── LedgerTaken            (clawdcore.edge.ledger) another process keeps the same books
    ├── LedgerNewer            (clawdcore.edge.ledger) a later version wrote the file
    ├── WorkerFailed           no worker can be started
    ├── NotRunning             (clawdcore.cli.reload) no bot runs that could be reloaded
    ├── NotReloaded            (clawdcore.cli.reload) the bot goes on as it was
    └── UsageError             a command's words can't be understood

A message says what is wrong and where; ``fix`` says what to do about it. No
message ever contains what a user wrote.
"""

from __future__ import annotations


class ClawdBotError(Exception):
    """Base of all errors meant for people. ``str()`` gives one line, fix included."""

    def __init__(self, what: str, *, fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.what} {self.fix}".strip() if self.fix else self.what


class ConfigError(ClawdBotError):
    """The configuration can't be used. ``where`` is ``file:line:column`` or ""."""

    def __init__(self, what: str, *, fix: str = "", where: str = "") -> None:
        super().__init__(what, fix=fix)
        self.where = where

    def __str__(self) -> str:
        text = super().__str__()
        return f"{self.where}: {text}" if self.where else text


class ConfigSyntaxError(ConfigError):
    """The file is not JSON5."""


class ConfigValueError(ConfigError):
    """A key is unknown, or its value has the wrong type or is out of range."""


class PluginError(ClawdBotError):
    """A plugin can't be loaded. ``plugin`` is its name."""

    def __init__(self, what: str, *, plugin: str, fix: str = "") -> None:
        super().__init__(what, fix=fix)
        self.plugin = plugin


class PluginNotInstalled(PluginError):
    """The configuration lists a plugin that is not installed."""


class PluginClash(PluginError):
    """Two distributions, or two list entries, claim one name."""


class HookError(PluginError):
    """A hook is misspelt, or its signature or registration is wrong."""


class ValueTooLarge(PluginError):
    """A value is larger than one key of a plugin's memory may hold."""


class ChannelError(ClawdBotError):
    """The channel (Telegram) can't be used."""


class TokenMissing(ChannelError):
    """No bot token was configured."""


class TokenRefused(ChannelError):
    """Telegram does not know the token."""


class ChannelUnreachable(ChannelError):
    """The Bot API did not answer."""


class SecondPoller(ChannelError):
    """Another process polls with the same token (HTTP 409)."""


class PortTaken(ChannelError):
    """A port that the bot must listen on is in use."""


class FileUnavailable(ChannelError):
    """A file can't be downloaded: too large, expired or refused."""


class ChatUnavailable(ChannelError):
    """Telegram refuses to tell or do something in a chat, or does not answer."""


class BackendError(ClawdBotError):
    """A model can't answer."""


class BackendUnavailable(BackendError):
    """The backend is not started, has crashed, or can't be reached."""


class EngineDead(BackendUnavailable):
    """The server answers, and says that its engine has died."""


class ServerSlow(BackendUnavailable):
    """The server took the request and did not begin to answer in time."""


class BadAnswer(BackendUnavailable):
    """What the server sent is not what its API promises."""


class ModelNotFound(BackendError):
    """No backend serves the model."""


class ModelFileMissing(BackendError):
    """The weights are not on this machine and can't be fetched."""


class Overloaded(BackendError):
    """The backend has more work than it takes. ``retry_after`` is in seconds."""

    def __init__(self, what: str, *, retry_after: float, fix: str = "") -> None:
        super().__init__(what, fix=fix)
        self.retry_after = retry_after


class TooLate(Overloaded):
    """It waited for its turn, and can't be done any more before its deadline."""


class ContextOverflow(BackendError):
    """The request is longer than the model's context."""


class RequestRefused(BackendError):
    """The server takes no request like this one. ``status`` is its HTTP status, 4xx."""

    def __init__(self, what: str, *, status: int, fix: str = "") -> None:
        super().__init__(what, fix=fix)
        self.status = status


class GenerationFailed(BackendError):
    """The model began to answer and broke."""


class StreamCut(GenerationFailed):
    """The connection ended in the middle of the answer."""


class StorageError(ClawdBotError):
    """A setting can't be kept or read."""


class WorkerFailed(ClawdBotError):
    """The process that does the work can't be started."""


class UsageError(ClawdBotError):
    """A command's words can't be understood; shown to the user with the usage line.

    ``template`` is the sentence with ``{names}`` for ``values``, so that it can be
    translated before they are put in.
    """

    def __init__(self, template: str, **values: str) -> None:
        super().__init__(template.format(**values) if values else template)
        self.template = template
        self.values = values
