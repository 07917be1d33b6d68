"""The commands that ask a service, and the button of an article."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from babel.dates import format_date

from clawdcore import (
    Context,
    Message,
    Press,
    RegisterButton,
    RegisterCommand,
    Reply,
    Toast,
    UsageError,
)

from .fetching import Fetcher, NotThere, ServiceFailed
from .money import FIRST, NotAsked, parse
from .options import Options
from .places import HOME_WORDS, Homes
from .rates import Rates
from .texts import failed, locale_of, words
from .weather import Weather
from .wiki import Wiki

T = TypeVar("T")


class Lookups:
    """The three services behind one client. ``now`` gives the time of day, in UTC."""

    def __init__(self, context: Context, now: Callable[[], datetime]) -> None:
        options: Options = context.options
        self.context = context
        self.fetcher = Fetcher(
            lambda: context.http,
            seconds=options.timeout_seconds,
            most=options.max_bytes,
            entries=options.cache_entries,
            memory=options.cache_bytes,
            clock=context.clock,
            contact=options.contact,
        )
        self.homes = Homes(context.storage)
        self.weather = Weather(self.fetcher, options)
        self.rates = Rates(self.fetcher, options.rates_url)
        self.wiki = Wiki(self.fetcher, options.wiki_url)
        self.now = now

    async def in_city(self, city: str, language: str) -> str:
        """The weather in the place that ``city`` means. Raises :class:`ServiceFailed`."""
        place = await self.weather.find(city[:100], language)
        if place is None:
            return _nowhere(language)
        return await self.weather.at(place, language)

    async def at_home(self, user: int, language: str) -> str:
        """The weather at home. Raises :class:`ServiceFailed`, UsageError without a home."""
        home = await self.homes.of(user)
        if home is None:
            _ = words(language)
            raise UsageError(_("Name a city, or tell me yours: /weather home Berlin"))
        return await self.weather.at(home, language)

    async def move(self, user: int, city: str, language: str) -> str:
        """Make ``city`` the home of ``user``. Raises :class:`ServiceFailed`."""
        place = await self.weather.find(city[:100], language)
        if place is None:
            return _nowhere(language)
        await self.homes.keep(user, place)
        _ = words(language)
        told = _("Your home is {place} now: /weather alone tells its weather, /forget erases it.")
        return told.format(place=place)


def register_lookups(register: RegisterCommand, lookups: Lookups) -> None:
    """``/weather``, ``/fx`` and ``/wiki``."""

    @register("weather", example="/weather Berlin", tool=True)
    async def weather(message: Message, city: str = "") -> str:
        """The weather in a city, or at home, now and for three days"""
        language, user = message.sender.language, message.sender.id
        first, *rest = city.split(maxsplit=1) or [""]
        # A model that calls this as a tool gives no args: it may ask, but moves nobody.
        if message.args and first.casefold() in HOME_WORDS:
            if rest:
                return await _asked("Open-Meteo", lookups.move(user, rest[0], language), language)
            city = ""
        if city.strip():
            return await _asked("Open-Meteo", lookups.in_city(city, language), language)
        return await _asked("Open-Meteo", lookups.at_home(user, language), language)

    @register("fx", example="/fx 100 usd to cny", tool=True)
    async def fx(message: Message, question: str) -> str:
        """Exchange rates: an amount, a currency, other currencies, and maybe a date"""
        language = message.sender.language
        try:
            asked = parse(question, lookups.now().date(), locale_of(language))
        except NotAsked as error:
            raise UsageError(_misread(error, language)) from None
        return await _asked("Frankfurter", lookups.rates.of(asked, language), language)

    @register("wiki", example="/wiki Ada Lovelace", tool=True)
    async def wiki(message: Message, query: str) -> Reply | str:
        """What Wikipedia says about something"""
        language = message.sender.language
        return await _asked("Wikipedia", lookups.wiki.about(query[:200], language), language)


def register_articles(register: RegisterButton, lookups: Lookups) -> None:
    """The buttons under ``/wiki``, for anybody in the chat."""

    @register("article")
    async def article(press: Press) -> Reply | Toast | str:
        try:
            chosen = lookups.wiki.chosen(press.data, press.language)
            return await _asked("Wikipedia", chosen, press.language)
        except NotThere:
            _ = words(press.language)
            return Toast(_("That article is gone."))


def _nowhere(language: str) -> str:
    _ = words(language)
    return _("I find no place of that name. Please check the spelling.")


def _misread(error: NotAsked, language: str) -> str:
    _ = words(language)
    if error.day:
        first = format_date(FIRST, "medium", locale=locale_of(language))
        return _("There are rates from {day} until today; a day is written as 2024-02-29.").format(
            day=first
        )
    if error.nearest:
        return _("I don't know that currency. Do you mean {code}?").format(code=error.nearest)
    if error.word:
        return _("There is a word that I don't understand: {word}").format(word=error.word[:20])
    return _("Name one currency, then up to ten others.")


async def _asked(service: str, answer: Awaitable[T], language: str) -> T | str:
    """``answer``, or one sentence about what is wrong with ``service``."""
    try:
        return await answer
    except ServiceFailed as error:
        return failed(service, error.trouble, language)
