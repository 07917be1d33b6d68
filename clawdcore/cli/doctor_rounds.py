"""Which checks the doctor makes, in which order they are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, SecretStr

from ..config import Config
from .checks import configuration, machine, plugins, ports, servers, telegram, updates
from .checks.bot_api import BotApi
from .checks.finding import LIMIT, Check, Finding, Tell, fail, in_thread, run_checks

HIDDEN: Final = "***"
SHORTEST: Final = 6
"""Characters of a secret that is looked for in findings; shorter ones are parts of words."""


async def examine(path: Path | None, tell: Tell, *, listen: float = 0.0) -> None:
    """Make every check that the configuration allows, and tell what each finds."""
    for finding in configuration.python_version():
        tell("python", finding)
    config, findings = configuration.load_configuration(path)
    known = [] if config is None else sorted(_secrets(config), key=len, reverse=True)
    secrets = [secret for secret in known if len(secret) >= SHORTEST]

    def tell_safely(check: str, finding: Finding) -> None:
        tell(check, _without(secrets, finding))

    for finding in findings:
        tell_safely("config", finding)
    async with AsyncExitStack() as stack:
        if config is None:
            checks: dict[str, Check] = {}
        else:
            installed = plugins.Installed(config)
            stack.callback(installed.give_up)
            checks = {
                **await _of_telegram(config, stack, listen),
                "ports": lambda: ports.ports(config),
                "plugins": lambda: plugins.plugins(installed, config),
                "models": lambda: plugins.models(installed, config),
                "servers": lambda: servers.servers(config),
                "workspace": _plain(lambda: machine.workspace(config)),
            }
        checks["memory"] = _plain(machine.memory)
        checks["disk"] = _plain(lambda: machine.disk(config))
        await run_checks(checks, tell_safely, limit=LIMIT + listen)


async def _of_telegram(config: Config, stack: AsyncExitStack, listen: float) -> dict[str, Check]:
    settings = config.channels.telegram
    if settings.bot_token is None:

        async def missing() -> Sequence[Finding]:
            fix = "Set TELEGRAM_BOT_TOKEN to what @BotFather gave you, or run: clawdbot init"
            return [fail("there is no bot token; what depends on it was not checked.", fix)]

        return {"token": missing}
    token = settings.bot_token.get_secret_value()
    api = await stack.enter_async_context(BotApi(settings.api_root, token))
    return {
        "token": lambda: telegram.token(api),
        "api": lambda: telegram.reach(api),
        "clock": lambda: telegram.clock(api),
        "privacy": lambda: telegram.privacy(api, config),
        "groups": lambda: telegram.groups(api, config),
        "webhook": lambda: updates.webhook(api, config),
        "polling": lambda: updates.polling(api, config, listen),
    }


def _plain(look: Callable[[], list[Finding]]) -> Check:
    """A check that may block, as one that does not."""

    async def check() -> Sequence[Finding]:
        return await in_thread(look)

    return check


def _secrets(value: Any) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets(getattr(value, name))
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _secrets(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _secrets(inner)


def _without(secrets: Sequence[str], finding: Finding) -> Finding:
    """A finding whose words hold no secret, whatever a server or a plugin put into them."""
    message, fix = (" ".join(text.split()) for text in (finding.message, finding.fix))
    for secret in secrets:
        message, fix = message.replace(secret, HIDDEN), fix.replace(secret, HIDDEN)
    return Finding(finding.status, message, fix)
