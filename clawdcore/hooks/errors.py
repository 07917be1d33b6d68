"""The sentences with which a plugin is refused, in one place so that they agree."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from ..errors import HookError, PluginClash, PluginNotInstalled

OWN_PLUGINS = ("translate", "ocr", "voice", "commands", "burn", "chat")
OWN_BACKENDS = ("llamacpp", "vllm")
RESERVED_PLUGINS = ("core",)
RESERVED_COMMANDS = ("start", "help")
"""What belongs to the bot itself, and no plugin may be or register."""


def bad_registration(plugin: str, what: str, *, fix: str = "") -> HookError:
    """A registration that can't be taken."""
    return HookError(f"plugin {plugin!r}: {what}", plugin=plugin, fix=fix)


def not_installed(names: Sequence[str], installed: Sequence[str]) -> PluginNotInstalled:
    """Listed plugins without a distribution; ours end with one install line for all."""
    ours = [name for name in names if name in OWN_PLUGINS or name in OWN_BACKENDS]
    theirs = [name for name in names if name not in ours]
    fixes = []
    for name in theirs:
        near = get_close_matches(name, [*installed, *OWN_PLUGINS, *OWN_BACKENDS], n=1)
        if near:
            instead = f" instead of {name!r}" if len(names) > 1 else ""
            fixes.append(f"Did you mean {near[0]!r}{instead}?")
    if theirs:
        package, it = ("packages", "them") if len(theirs) > 1 else ("package", "it")
        provide = "provide" if len(theirs) > 1 else "provides"
        fixes.append(
            f"Installed: {', '.join(installed) or 'none'}. "
            f"Install the {package} that {provide} {it if len(names) == 1 else _listed(theirs)}, "
            f"or take {it} off the plugin list."
        )
    if ours:
        it = "them" if len(ours) > 1 else "it" if not theirs else repr(ours[0])
        fixes.append(f"Install {it}: pip install {' '.join(f'clawdbot-{o}' for o in ours)}")
    what = f"plugin {names[0]!r} is" if len(names) == 1 else f"the plugins {_listed(names)} are"
    return PluginNotInstalled(f"{what} not installed.", plugin=names[0], fix=" ".join(fixes))


def _listed(names: Sequence[str]) -> str:
    *first, last = map(repr, names)
    return f"{', '.join(first)} and {last}" if first else last


def reserved_plugin(name: str) -> PluginClash:
    """A plugin that is called as the bot's own part is, whose settings it would share."""
    return PluginClash(
        f"plugin {name!r} has the name of the bot's own part, which keeps its settings under it.",
        plugin=name,
        fix="Give its entry point another name.",
    )


def reserved_command(plugin: str, word: str) -> PluginClash:
    """A command that everybody knows, and that gets the owner's claim code."""
    return PluginClash(
        f"plugin {plugin!r}: the command /{word} is the bot's own.",
        plugin=plugin,
        fix="Give the command another name.",
    )


def two_distributions(name: str, distributions: list[str]) -> PluginClash:
    """Two installed distributions whose entry points have one name."""
    return PluginClash(
        f"plugin {name!r} is provided by two distributions: {' and '.join(distributions)}.",
        plugin=name,
        fix=f"Remove one: pip uninstall {distributions[-1]}",
    )
