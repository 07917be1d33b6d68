"""Was a plugin made for this version of the core? What its package requires says so."""

from __future__ import annotations

from importlib.metadata import Distribution, EntryPoint
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement

from .. import __version__
from ..errors import PluginError

CORE: Final = "clawdcore"


def check(name: str, point: EntryPoint) -> None:
    """Compare what the distribution of ``point`` requires of the core with what runs.

    pip has done so when it was installed; a core that was replaced since may be another.

    Raises:
        PluginError: the plugin ``name`` was made for another version.
    """
    wanted = required(point.dist)
    if wanted is not None and not wanted.specifier.contains(__version__, prereleases=True):
        raise PluginError(
            f"plugin {name!r} was made for {CORE} {wanted.specifier}, and this is {__version__}.",
            plugin=name,
            fix=f"Install versions that fit: pip install -U {CORE} {_name(point.dist)}",
        )


def required(dist: Distribution | None) -> Requirement | None:
    """What a distribution requires of the core; None where it says nothing that can be read."""
    for line in (dist.requires if dist is not None else None) or ():
        if not line.lower().startswith(CORE):
            continue
        try:
            found = Requirement(line)
        except InvalidRequirement:
            continue
        if found.name.lower() == CORE and (found.marker is None or found.marker.evaluate()):
            return found
    return None


def _name(dist: Distribution | None) -> str:
    return dist.name if dist is not None else ""
