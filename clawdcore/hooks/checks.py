"""Which hooks a plugin implements, and whether it may implement them so."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, Final

from ..errors import HookError
from . import hookspecs
from .errors import bad_registration
from .hookspecs import PROJECT

log = logging.getLogger(__name__)

SYNC_ONLY: Final = frozenset(
    {
        "register_commands",
        "register_handlers",
        "register_buttons",
        "register_readers",
        "register_backends",
        "register_cli",
        "options_model",
        "needs",
    }
)
HOOKS: Final = frozenset(
    name for name, value in vars(hookspecs).items() if hasattr(value, f"{PROJECT}_spec")
)


def implementations(name: str, target: object) -> dict[str, Callable[..., Any]]:
    """The hooks of the plugin ``name``, each with its function.

    Raises:
        HookError: one is misspelt or of a kind that can't be called, or there is none.
    """
    hooks: dict[str, Callable[..., Any]] = {}
    for attribute in dir(target):
        try:
            function = getattr(target, attribute)
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: BLE001 - a plugin's property may raise anything
            log.debug("plugin %s: attribute %s can't be read", name, attribute)
            continue
        mark = getattr(function, f"{PROJECT}_impl", None) if callable(function) else None
        if not isinstance(mark, dict):
            continue
        hook = mark.get("specname") or attribute
        if hook not in HOOKS:
            near = get_close_matches(hook, HOOKS, n=1, cutoff=0.5)
            raise HookError(
                f"plugin {name!r} has the hook {hook!r}, which does not exist.",
                plugin=name,
                fix=f"Did you mean {near[0]!r}?" if near else f"Hooks: {', '.join(sorted(HOOKS))}.",
            )
        if mark.get("wrapper") or mark.get("hookwrapper"):
            raise bad_registration(
                name,
                f"{hook} is a hook wrapper, which can't surround awaited results.",
                fix="Use prepare_reply, or tryfirst/trylast.",
            )
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise bad_registration(
                name,
                f"{hook} has a yield, so that a call of it runs nothing.",
                fix="Return instead; what ends with the bot belongs into shutdown.",
            )
        if hook in SYNC_ONLY and inspect.iscoroutinefunction(function):
            raise bad_registration(
                name, f"{hook} is async, but runs at load.", fix="Write def, not async def."
            )
        hooks[hook] = function
    if not hooks:
        raise HookError(
            f"plugin {name!r} implements no hook.",
            plugin=name,
            fix="Decorate its functions with clawdcore.hookimpl.",
        )
    return hooks
