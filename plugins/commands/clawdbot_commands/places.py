"""A place on earth, and the one that somebody calls home."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Final

from clawdcore import Storage

HOME: Final = "home"
HOME_WORDS: Final = frozenset({"home", "家"})
"""What stands before a city that somebody calls home."""


@dataclass(frozen=True, slots=True, repr=False)
class Place:
    """A place by its names, in degrees of latitude and longitude (WGS84)."""

    name: str
    region: str
    country: str
    latitude: float
    longitude: float

    @classmethod
    def read(cls, found: Any) -> Place:
        """From an entry of Open-Meteo's geocoding, or what :func:`asdict` made.

        Raises KeyError, TypeError, ValueError or OverflowError for anything else.
        """
        latitude, longitude = float(found["latitude"]), float(found["longitude"])
        if not (math.isfinite(latitude) and math.isfinite(longitude)):
            raise ValueError("no coordinates")
        region = found.get("admin1") or found.get("region") or ""
        country = found.get("country") or ""
        return cls(
            str(found["name"])[:100], str(region)[:100], str(country)[:100], latitude, longitude
        )

    def __str__(self) -> str:
        # A city that is a region of its own is not named twice.
        return ", ".join(dict.fromkeys(p for p in (self.name, self.region, self.country) if p))


class Homes:
    """Everybody's home in the plugin's storage, by user."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def of(self, user: int) -> Place | None:
        """Where ``user`` is at home, if that was told."""
        found = await self._storage.get(HOME, user=user)
        try:
            return None if found is None else Place.read(found)
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
            return None

    async def keep(self, user: int, place: Place) -> None:
        """Make ``place`` the home of ``user``."""
        await self._storage.set(HOME, asdict(place), user=user)

    async def erase(self, user: int) -> bool:
        """Forget it; whether there was one."""
        if await self._storage.get(HOME, user=user) is None:
            return False
        await self._storage.set(HOME, None, user=user)
        return True
