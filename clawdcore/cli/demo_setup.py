"""The demo's configuration: models and plugins of a real one, and a Telegram of its own.

It is written to a file of the demo; secrets go to the bot as environment
variables, so that the file holds none.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..errors import ConfigValueError
from .demo_room import OPERATOR

if TYPE_CHECKING:
    from ..config import Config

TOKEN: Final = "1:DEMO"
VARIABLE: Final = "CLAWDBOT_DEMO_SECRET_"
MARGIN: Final = 15.0
"""Seconds beyond the bot's own deadline before the demo calls a line unanswered."""
PATIENT: Final = {"request": 120_000, "total": 180_000}
"""Milliseconds, where no file says otherwise: a first answer without a GPU takes its time."""
LOCAL: Final = "127.0.0.1,localhost"


def _unhurried() -> dict[str, Any]:
    # The server in this terminal is not Telegram, and knows no limits.
    return {"pace": {"perSecond": 1000, "perChat": 1000, "groupPerMinute": 60_000}}


def _no_gateway() -> dict[str, Any]:
    return {"enabled": False}  # a bot that runs for real may have the port


@dataclass(frozen=True, slots=True)
class Settings:
    """What the bot of the demo is made from; ``timeout`` is in seconds.

    ``telegram`` are keys of ``channels.telegram`` beside those that make it the
    demo's own; ``gateway`` is that section.
    """

    given: dict[str, Any]
    secrets: dict[str, str]
    timeout: float
    model: str
    telegram: dict[str, Any] = field(default_factory=_unhurried)
    gateway: dict[str, Any] = field(default_factory=_no_gateway)

    def waiting(self, timeout: float | None) -> Settings:
        """The same with another timeout, if one is given."""
        return self if timeout is None else replace(self, timeout=timeout)

    def written(self, api_root: str, workspace: Path) -> str:
        """The configuration's text."""
        telegram = {
            **self.telegram,
            "botToken": TOKEN,
            "apiRoot": api_root,
            "owner": OPERATOR,
            "groups": {"*": {"requireMention": True}},
        }
        given = json.loads(json.dumps(self.given))
        given.setdefault("agents", {}).setdefault("defaults", {})["workspace"] = str(workspace)
        given["gateway"] = self.gateway
        return json.dumps({**given, "channels": {"telegram": telegram}}, ensure_ascii=False)

    def environment(self, env: Mapping[str, str] = os.environ) -> dict[str, str]:
        """The bot's environment: its secrets, and no proxy between it and the local server."""
        bot = {name: value for name, value in env.items() if name != "TELEGRAM_BOT_TOKEN"}
        direct = ",".join(filter(None, (env.get("no_proxy") or env.get("NO_PROXY"), LOCAL)))
        return {**bot, "no_proxy": direct, "NO_PROXY": direct, **self.secrets}


def load(path: Path | None, model: str | None) -> Settings:
    """Models and plugins of the configuration at ``path``, else the defaults.

    ``model`` ("provider/model") takes the place of those that are configured.

    Raises:
        ConfigError: the file, or ``model``, can't be used.
    """
    from .. import config as configuration

    loaded = configuration.parse("{}", env={}) if path is None else configuration.load(path)
    settings = taken(loaded)
    if path is None:
        settings.given.setdefault("agents", {}).setdefault("defaults", {})["timeout"] = PATIENT
    if model is not None:
        _answer_with(model, settings.given)
    text = settings.written("http://127.0.0.1:1", Path())
    try:
        checked = configuration.parse(text, env=settings.secrets)
    except ConfigValueError as error:
        if model is None:
            raise
        # All else loaded before, so it is the model that can't be used.
        raise ConfigValueError(error.what, fix=error.fix, where="--model") from None
    defaults = checked.agents.defaults
    return replace(
        settings, timeout=defaults.timeout.total / 1000 + MARGIN, model=defaults.model.primary
    )


def _answer_with(model: str, given: dict[str, Any]) -> None:
    """Set the model; a backend inside the bot is told by its provider's list which to load."""
    given.setdefault("agents", {}).setdefault("defaults", {})["model"] = model
    from ..config.providers import BUILT_IN

    name, _, id = model.partition("/")
    providers = given.setdefault("models", {}).setdefault("providers", {})
    if id and not providers.get(name, {}).get("baseUrls") and name in (*providers, *BUILT_IN):
        providers.setdefault(name, {})["models"] = [{"id": id}]


def taken(config: Config) -> Settings:
    """Models and plugins of a configuration; no timeout and no model's name yet."""
    from ..config import show

    values = config.model_dump(
        by_alias=True, exclude_defaults=True, include={"agents", "models", "plugins"}
    )
    for provider in values.get("models", {}).get("providers", {}).values():
        del provider["name"]  # the key that it stands under, and none inside
    secrets: dict[str, str] = {}
    given = _without_secrets(values, json.loads(show(config)), secrets)
    return Settings(given=given, secrets=secrets, timeout=0.0, model="")


def _without_secrets(value: Any, shown: Any, secrets: dict[str, str]) -> Any:
    """``value`` with a variable for each text that ``shown``, the same, does not show."""
    from pydantic import SecretStr

    if isinstance(value, dict):
        return {
            name: _without_secrets(inner, shown.get(name), secrets) for name, inner in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [
            _without_secrets(inner, beside, secrets)
            for inner, beside in zip(value, shown, strict=True)
        ]
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if not isinstance(text, str):
        return text
    if text == shown or not text:
        return text.replace("${", "$${")
    name = f"{VARIABLE}{len(secrets) + 1}"
    secrets[name] = text
    return f"${{{name}}}"
