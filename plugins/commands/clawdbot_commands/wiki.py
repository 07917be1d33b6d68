"""Wikipedia: the summary of an article, or buttons where a title means several things."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from babel import Locale, UnknownLocaleError

from clawdcore import Button, Reply

from .fetching import Fetcher, NotThere, ServiceFailed
from .texts import locale_of, words

CHOICES: Final = 5
ENGLISH: Final = "en"
EDITIONS: Final = {"nb": "no"}
"""Wikipedias that do not have their language's code for a name."""
_EDITION: Final = re.compile(r"[a-z]{2,3}", re.ASCII)
_TAG: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}", re.ASCII)


def edition_of(language: str) -> str:
    """The Wikipedia for readers of ``language``."""
    code = locale_of(language).language
    return EDITIONS.get(code, code)


def _is_edition(name: str) -> bool:
    if not _EDITION.fullmatch(name):
        return False
    try:
        Locale.parse(name)
    except (ValueError, UnknownLocaleError):
        return name in EDITIONS.values()
    return True


class Wiki:
    """Asks the reader's Wikipedia, then the English one."""

    def __init__(self, fetcher: Fetcher, url: str) -> None:
        self._fetcher, self._url = fetcher, url

    async def about(self, query: str, language: str) -> Reply:
        """The article that ``query`` names or is found by. Raises :class:`ServiceFailed`."""
        for edition in dict.fromkeys((edition_of(language), ENGLISH)):
            try:
                pages = await self._search(query, edition)
                if pages:
                    return await self._article(pages, edition, language)
            except NotThere:
                continue
            except ServiceFailed as error:
                # Not every language has a Wikipedia: those that have none fail in such ways.
                if edition == ENGLISH or error.trouble not in ("down", "wrong"):
                    raise
        _ = words(language)
        return Reply(text=_("Wikipedia has no article about that. Please try other words."))

    async def chosen(self, data: str, language: str) -> Reply:
        """The article of a pressed button. Raises :class:`ServiceFailed`, :class:`NotThere`.

        Anybody in the chat may press it, whatever language they read.
        """
        edition, _, number = data.partition(":")
        if not (_is_edition(edition) and number.isascii() and number.isdecimal()):
            raise NotThere
        # https://www.mediawiki.org/wiki/API:Query: pages are keyed by their id.
        found = await self._fetcher.json(
            f"{self._root(edition)}/w/api.php",
            {"action": "query", "format": "json", "pageids": number},
        )
        try:
            title = found["query"]["pages"][number]["title"]
        except (KeyError, TypeError):
            raise NotThere from None
        return (await self._summary(str(title), edition, language))[1]

    def _root(self, edition: str) -> str:
        return self._url.replace("{language}", edition)

    async def _search(self, query: str, edition: str) -> list[tuple[int, str, str]]:
        # https://www.mediawiki.org/wiki/API:REST_API/Reference (Search pages)
        found = await self._fetcher.json(
            f"{self._root(edition)}/w/rest.php/v1/search/page",
            {"q": query, "limit": str(CHOICES + 1)},
        )
        try:
            return [(int(p["id"]), str(p["key"]), str(p["title"])) for p in found["pages"]]
        except (KeyError, TypeError, ValueError, OverflowError):
            raise ServiceFailed("wrong") from None

    async def _article(
        self, pages: list[tuple[int, str, str]], edition: str, language: str
    ) -> Reply:
        number, key, _ = pages[0]
        ambiguous, reply = await self._summary(key, edition, language)
        others = [page for page in pages if page[0] != number][:CHOICES]
        if not (ambiguous and others):
            return reply
        _ = words(language)
        rows = tuple(
            (Button(title[:64], "article", f"{edition}:{n}"),) for n, _key, title in others
        )
        return Reply(text=_("That can mean several things. Which one?"), buttons=rows)

    async def _summary(self, title: str, edition: str, language: str) -> tuple[bool, Reply]:
        # https://www.mediawiki.org/wiki/Specs/Summary/1.3.0; Accept-Language picks the script
        # that Wikipedias with several are written in.
        variant = language if _TAG.fullmatch(language) and edition_of(language) == edition else ""
        found = await self._fetcher.json(
            f"{self._root(edition)}/api/rest_v1/page/summary/{quote(title, safe='')}",
            language=(variant or edition).lower(),
        )
        try:
            page = str(found["content_urls"]["desktop"]["page"])
            heading = found.get("titles", {}).get("normalized") or found["title"]
            parts = (str(heading), str(found["extract"]), page)
        except (AttributeError, KeyError, TypeError):
            raise ServiceFailed("wrong") from None
        text = "\n\n".join(part for part in parts if part)
        return found.get("type") == "disambiguation", Reply(text=text)
