"""clawdbot.json: what may stand in it, and how it is loaded.

``load()`` gives a frozen :class:`Config`, or raises an error that tells every
problem with its line and its fix. The file is JSON5; ``docs/configuration.md``
lists its keys.
"""

from .agents import DEFAULT_MODEL, AgentDefaults, ModelChoice, TimeoutConfig
from .channels import GroupConfig, TelegramConfig, WebhookConfig
from .inert import INERT
from .load import FILE_NAME, find, load, parse
from .model import DEFAULT_PLUGINS, AlertsConfig, BudgetConfig, Config, GatewayConfig, PluginConfig
from .providers import ModelConfig, ModelsConfig, ProviderConfig
from .report import ConfigProblems
from .schema import schema
from .show import show
from .template import template

__all__ = [
    "DEFAULT_MODEL",
    "DEFAULT_PLUGINS",
    "FILE_NAME",
    "INERT",
    "AgentDefaults",
    "AlertsConfig",
    "BudgetConfig",
    "Config",
    "ConfigProblems",
    "GatewayConfig",
    "GroupConfig",
    "ModelChoice",
    "ModelConfig",
    "ModelsConfig",
    "PluginConfig",
    "ProviderConfig",
    "TelegramConfig",
    "TimeoutConfig",
    "WebhookConfig",
    "find",
    "load",
    "parse",
    "schema",
    "show",
    "template",
]
