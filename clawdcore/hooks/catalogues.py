"""Where a plugin's own translations lie: in the folder ``locale`` of its package."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from ..texts import DOMAIN, LOCALES, translator


class Catalogue(NamedTuple):
    """A gettext domain, and the folder that holds its ``zh_CN/LC_MESSAGES/DOMAIN.mo``."""

    folder: Path
    domain: str

    def text(self, english: str, language: str) -> str:
        """``english`` for readers of ``language``; the bot's own words where it has none."""
        text = translator(language, self.folder, self.domain)(english)
        return text if text != english else translator(language)(english)


CORE: Catalogue = Catalogue(LOCALES, DOMAIN)


def catalogue_of(code: object) -> Catalogue:
    """That of the package which ``code`` (a function, a plugin, a module) comes from.

    The nearest package around it with a folder ``locale`` counts, and its name is the domain;
    the bot's own where there is none.
    """
    name = code.__name__ if isinstance(code, ModuleType) else getattr(code, "__module__", None)
    name = name if isinstance(name, str) else ""
    while name:
        for place in getattr(sys.modules.get(name), "__path__", ()):
            folder = Path(place, "locale")
            if folder.is_dir():
                return Catalogue(folder, name.rpartition(".")[2])
        name = name.rpartition(".")[0]
    return CORE
