"""What a configuration is, once loaded: frozen, checked, with every default.

In the file keys are camelCase, here snake_case. Times are in milliseconds
unless a key's name says otherwise.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

import platformdirs
from pydantic import Field, PrivateAttr

from .agents import AgentsConfig
from .channels import ChannelsConfig
from .inert import inert_lines
from .provenance import Provenance
from .providers import ModelsConfig
from .values import Host, PluginName, Port, Secret, Section

DEFAULT_PLUGINS: Final = ("chat", "translate")


class ClientConfig(Section):
    """A caller of the gateway beside the one with gateway.auth.token."""

    name: str = Field(
        min_length=1,
        max_length=64,
        pattern=r"^[A-Za-z0-9._-]+$",
        description="What metrics call it; its work has a portion of its own.",
        examples=["dashboard"],
    )
    token: Secret = Field(
        description="What it sends as a bearer token.", examples=["${DASHBOARD_TOKEN}"]
    )
    priority: Literal["direct", "group", "media"] = Field(
        default="direct",
        description='The class of its work: "direct" as private messages, "group" below them, '
        '"media" last.',
    )


class AuthConfig(Section):
    """Who may use the gateway."""

    token: Secret | None = Field(
        default=None,
        description="Callers send it as a bearer token. Unset with a host that others can reach: "
        "one is made at the first start.",
        examples=["${CLAWDBOT_TOKEN}"],
    )
    clients: list[ClientConfig] = Field(
        default=[],
        description="More callers, each with a token, a class and a fair portion of its own.",
        examples=[[{"name": "dashboard", "token": "${DASHBOARD_TOKEN}", "priority": "group"}]],
    )


class AlertsConfig(Section):
    """What the owner is told of, and `clawdbot monitor` shows in red."""

    queue: int = Field(
        default=50, ge=1, le=100_000, description="More requests than this wait for a generation."
    )
    cpu: int = Field(
        default=80, ge=1, le=100, description="The machine's processors are busier, in percent."
    )
    replicas: bool = Field(default=True, description="A replica of a model server is down.")


class GatewayConfig(Section):
    """The HTTP gateway: an OpenAI API, health and metrics."""

    enabled: bool = Field(default=True, description="false leaves the gateway out.")
    port: Port = Field(default=18780, description="The port that it listens on.")
    host: Host = Field(
        default="127.0.0.1", description='The address that it listens on; "0.0.0.0" for all.'
    )
    max_concurrent_requests: int = Field(
        default=32, ge=1, le=4096, description="Generations at once, those for chats included."
    )
    request_queue_size: int = Field(
        default=128, ge=1, le=100_000, description="How many may wait for a generation."
    )
    auth: AuthConfig = AuthConfig()
    alerts: AlertsConfig = AlertsConfig()


class MessagesConfig(Section):
    """OpenClaw's keys for queueing; they load, and nothing more."""

    queue: dict[str, Any] = Field(default={}, description="OpenClaw's queue: mode, cap, drop.")
    inbound: dict[str, Any] = Field(default={}, description="OpenClaw's debouncing: debounceMs.")


class BudgetConfig(Section):
    """What a plugin may use up, so that the others have theirs."""

    seconds: float | None = Field(
        default=None,
        gt=0,
        le=86_400,
        description="Seconds that one call may take, the model's time included, that of reading "
        "files not. Unset: as long as its message has time.",
        examples=[30],
    )
    at_once: int | None = Field(
        default=None,
        ge=1,
        le=4096,
        description="Messages in its hands at once; waiting for a generation doesn't count. "
        "Unset: three quarters of agents.defaults.maxConcurrent; all of it for a plugin that "
        "is alone.",
        examples=[2],
    )
    failures: int = Field(
        default=5,
        ge=1,
        le=1000,
        description="Failures in a row after which it rests, for a minute at first.",
    )
    messages: int = Field(
        default=20,
        ge=1,
        le=1000,
        description="Messages a minute that it may send to one chat unasked (schedules).",
    )


class PluginConfig(Section):
    """An entry of the plugin list. In the file also a plain string: the name."""

    name: PluginName = Field(
        description="The plugin's name, as its package announces it.", examples=["chat"]
    )
    options: dict[str, Any] = Field(
        default={},
        repr=False,
        description="The plugin's own options; see its README. Wrong ones disable the plugin.",
        examples=[{"systemPrompt": "Answer briefly."}],
    )
    budget: BudgetConfig = BudgetConfig()
    enabled: bool = Field(
        default=True, description="false leaves the plugin out, and keeps its entry."
    )


class Config(Section):
    """A whole configuration; ``Config()`` is what no file at all gives."""

    agents: AgentsConfig = AgentsConfig()
    models: ModelsConfig = ModelsConfig()
    gateway: GatewayConfig = GatewayConfig()
    channels: ChannelsConfig = ChannelsConfig()
    messages: MessagesConfig = MessagesConfig()
    plugins: list[PluginConfig] = Field(
        default=[PluginConfig(name=name) for name in DEFAULT_PLUGINS],
        description="The plugins, in the order in which they are asked.",
        examples=[["translate", {"name": "chat", "options": {}}]],
    )

    _provenance: Provenance = PrivateAttr(default=Provenance())

    @property
    def provenance(self) -> Provenance:
        """The file, the notes, and where each value came from."""
        return self._provenance

    @property
    def notes(self) -> tuple[str, ...]:
        """What the owner should know, a line each: aliases, variables that are not set."""
        return self._provenance.notes

    @property
    def file(self) -> Path | None:
        """The file that it was loaded from, if any."""
        return self._provenance.file

    @property
    def workspace_path(self) -> Path:
        """The folder for ids and settings; it may not exist yet."""
        workspace = self.agents.defaults.workspace
        if workspace is None:
            return platformdirs.user_state_path("clawdbot")
        file = self._provenance.file
        folder = file.parent if file is not None else Path()
        return folder / Path(workspace).expanduser()

    def state_path(self, bot: int) -> Path:
        """The folder of one bot's ids and settings; it may not exist yet."""
        return self.workspace_path / str(bot)

    def secrets(self) -> list[str]:
        """All that must never be shown: the token, the webhook's secret, providers' keys."""
        telegram = self.channels.telegram
        keys = [provider.api_key for provider in self.models.providers.values()]
        auth = self.gateway.auth
        given = (
            telegram.bot_token,
            telegram.webhook.secret,
            auth.token,
            *(client.token for client in auth.clients),
            *keys,
        )
        return [secret.get_secret_value() for secret in given if secret is not None]

    def inert_keys_set(self) -> list[str]:
        """A line for each key of the file that has no effect in this version."""
        return inert_lines(self._provenance.sources)
