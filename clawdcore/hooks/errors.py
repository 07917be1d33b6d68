"""The sentences with which a plugin is refused, in one place so that they agree."""

from __future__ import annotations

from difflib import get_close_matches

from ..errors import HookError, PluginClash, PluginNotInstalled

OWN_PLUGINS = ("translate", "ocr", "voice", "commands", "burn", "chat")
OWN_BACKENDS = ("llamacpp", "vllm")


def bad_registration(plugin: str, what: str, *, fix: str = "") -> HookError:
    """A registration that can't be taken."""
    return HookError(f"plugin {plugin!r}: {what}", plugin=plugin, fix=fix)


def not_installed(name: str, installed: list[str]) -> PluginNotInstalled:
    """A listed plugin without a distribution; ours end with their install line."""
    if name in OWN_PLUGINS or name in OWN_BACKENDS:
        fix = f"Install it: pip install clawdbot-{name}"
    else:
        near = get_close_matches(name, [*installed, *OWN_PLUGINS], n=1)
        fix = f"Did you mean {near[0]!r}? " if near else ""
        fix += (
            f"Installed: {', '.join(installed) or 'none'}. "
            "Install the package that provides it, or take it off the plugin list."
        )
    return PluginNotInstalled(f"plugin {name!r} is not installed.", plugin=name, fix=fix)


def two_distributions(name: str, distributions: list[str]) -> PluginClash:
    """Two installed distributions whose entry points have one name."""
    return PluginClash(
        f"plugin {name!r} is provided by two distributions: {' and '.join(distributions)}.",
        plugin=name,
        fix=f"Remove one: pip uninstall {distributions[-1]}",
    )
