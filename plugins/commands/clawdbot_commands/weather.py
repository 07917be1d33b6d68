"""Weather now and for three days, from Open-Meteo."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from babel.dates import format_date
from babel.numbers import format_decimal

from .fetching import Fetcher, NotThere, ServiceFailed
from .options import Options
from .places import Place
from .texts import locale_of, sky, words

FAHRENHEIT: Final = frozenset({"US", "BS", "BZ", "KY", "PW", "FM", "MH", "LR", "PR", "GU", "VI"})
"""The regions where CLDR's unit preference for weather is °F, or that follow the US."""
_NO_FORECAST: Final = (
    AttributeError,
    KeyError,
    TypeError,
    ValueError,
    IndexError,
    OverflowError,
)


def fahrenheit(options: Options, language: str) -> bool:
    """Whether ``language``'s reader wants °F: by the region in the tag, else no."""
    if options.temperature != "auto":
        return options.temperature == "fahrenheit"
    return locale_of(language).territory in FAHRENHEIT


class Weather:
    """Looks up a place, then its weather."""

    def __init__(self, fetcher: Fetcher, options: Options) -> None:
        self._fetcher, self._options = fetcher, options

    async def find(self, city: str, language: str) -> Place | None:
        """The place that ``city`` most likely means. Raises :class:`ServiceFailed`.

        https://open-meteo.com/en/docs/geocoding-api
        """
        try:
            found = await self._fetcher.json(
                f"{self._options.geocoding_url}/v1/search",
                {"name": city, "count": "1", "language": locale_of(language).language},
            )
            # Where there is none, the key is left out.
            results = found.get("results") or []
            return Place.read(results[0]) if results else None
        except NotThere:
            return None
        except _NO_FORECAST:
            raise ServiceFailed("wrong") from None

    async def at(self, place: Place, language: str) -> str:
        """The weather there as text. Raises :class:`ServiceFailed`.

        https://open-meteo.com/en/docs
        """
        imperial = fahrenheit(self._options, language)
        try:
            found = await self._fetcher.json(
                f"{self._options.weather_url}/v1/forecast",
                {
                    "latitude": str(place.latitude),
                    "longitude": str(place.longitude),
                    "current": "temperature_2m,weather_code",
                    "daily": "weather_code,temperature_2m_max,temperature_2m_min",
                    "forecast_days": "3",
                    "timezone": "auto",
                    "temperature_unit": "fahrenheit" if imperial else "celsius",
                },
            )
            return shown(place, found, "°F" if imperial else "°C", language)
        except (NotThere, *_NO_FORECAST):
            raise ServiceFailed("wrong") from None


def shown(place: Place, found: dict[str, Any], unit: str, language: str) -> str:
    """The forecast as text. Raises KeyError and its like where ``found`` is no forecast."""
    _, locale = words(language), locale_of(language)

    def degrees(value: object) -> str:
        return format_decimal(round(float(str(value))), locale=locale) + f" {unit}"

    def line(start: str, code: object, temperatures: str) -> str:
        return f"{start}: " + ", ".join(
            part for part in (temperatures, sky(int(float(str(code))), language)) if part
        )

    now, daily = found["current"], found["daily"]
    lines = [str(place)]
    lines.append(line(_("Now"), now["weather_code"], degrees(now["temperature_2m"])))
    days = zip(
        daily["time"],
        daily["weather_code"],
        daily["temperature_2m_min"],
        daily["temperature_2m_max"],
        strict=True,
    )
    for day, code, low, high in list(days)[:3]:
        start = format_date(date.fromisoformat(day), "EEE d MMM", locale=locale)
        lines.append(line(start, code, f"{degrees(low)} – {degrees(high)}"))
    lines.append(_("Weather data by Open-Meteo.com"))
    return "\n".join(lines)
