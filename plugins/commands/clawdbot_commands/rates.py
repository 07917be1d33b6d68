"""Exchange rates of the European Central Bank, from Frankfurter."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation

from babel.dates import format_date

from .fetching import Fetcher, NotThere, ServiceFailed
from .money import Asked, spoken
from .texts import locale_of, words


class Rates:
    """Asks for the rates of a day."""

    def __init__(self, fetcher: Fetcher, url: str) -> None:
        self._fetcher, self._url = fetcher, url

    async def of(self, asked: Asked, language: str) -> str:
        """The amounts as text. Raises :class:`ServiceFailed`.

        https://frankfurter.dev/v1/
        """
        _, locale = words(language), locale_of(language)
        targets = [code for code in asked.targets if code != asked.base]
        try:
            found = await self._fetcher.json(
                f"{self._url}/v1/{asked.day.isoformat() if asked.day else 'latest'}",
                {"base": asked.base, "symbols": ",".join(targets)},
            )
            rates = {code: Decimal(str(rate)) for code, rate in found["rates"].items()}
            day = date.fromisoformat(found["date"])
        except NotThere:
            return await self._unquoted(asked, language)
        except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation):
            raise ServiceFailed("wrong") from None
        if any(not rate.is_finite() or rate <= 0 for rate in rates.values()):
            raise ServiceFailed("wrong")
        lines = [
            f"{spoken(asked.amount, asked.base, locale)} = "
            f"{spoken(asked.amount * rates[code], code, locale)}"
            for code in targets
            if code in rates
        ]
        missing = [code for code in targets if code not in rates]
        if missing:
            lines.append(_("No rate is known for: {codes}").format(codes=", ".join(missing)))
        shown = format_date(day, "medium", locale=locale)
        if asked.day is None or asked.day == day:
            lines.append(_("Rates of the European Central Bank, {day}").format(day=shown))
        else:
            # On weekends and holidays the service gives the rates of a working day next to it.
            meant = format_date(asked.day, "medium", locale=locale)
            text = _("The European Central Bank has no rates of {asked}; these are those of {day}.")
            lines.append(text.format(asked=meant, day=shown))
        return "\n".join(lines)

    async def _unquoted(self, asked: Asked, language: str) -> str:
        _ = words(language)
        try:
            known = await self._fetcher.json(f"{self._url}/v1/currencies")
        except NotThere:
            raise ServiceFailed("wrong") from None
        missing = [code for code in (asked.base, *asked.targets) if code not in known]
        if not missing:
            return _("The European Central Bank has no rate for that day.")
        return _("No rate is known for: {codes}").format(codes=", ".join(missing))
