"""Run a plugin's code at load: whatever it raises becomes an error for people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import ClawdBotError, HookError, PluginError
from .loaded import Loaded


@contextmanager
def foreign(kind: type[PluginError], plugin: str, what: str, *, fix: str = "") -> Iterator[None]:
    """Within the body runs foreign code: whatever it raises comes as a ``kind`` that says what.

    A ``sys.exit`` at a plugin's import must not end the bot; Ctrl-C must.
    """
    try:
        yield
    except (ClawdBotError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise kind(f"{what}: {brief(error)}.", plugin=plugin, fix=fix) from error


def guarded(plugin: Loaded, hook: str, **arguments: Any) -> Any:
    """Call a registration hook.

    Raises:
        HookError: it raised, whatever it was.
    """
    with foreign(HookError, plugin.name, f"plugin {plugin.name!r}: {hook} failed"):
        return plugin.call(hook, **arguments)


def brief(error: BaseException) -> str:
    """An error's type and message in one line; load time has no user content."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
