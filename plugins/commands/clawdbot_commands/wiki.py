"""Wikipedia: the summary of an article, or buttons where a title means several things."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from clawdcore import Button, Reply

from .fetching import Fetcher, NotThere, ServiceFailed
from .texts import locale_of, words

CHOICES: Final = 5


class Wiki:
    """Asks the reader's Wikipedia, then the English one."""

    def __init__(self, fetcher: Fetcher, url: str) -> None:
        self._fetcher, self._url = fetcher, url

    async def about(self, query: str, language: str) -> Reply:
        """The article that ``query`` names or is found by. Raises :class:`ServiceFailed`."""
        own = locale_of(language).language
        for edition in dict.fromkeys((own, "en")):
            try:
                pages = await self._search(query, edition)
                if pages:
                    return await self._article(pages, edition, language)
            except NotThere:
                continue
        _ = words(language)
        return Reply(text=_("Wikipedia has no article about that. Please try other words."))

    async def chosen(self, data: str, language: str) -> Reply:
        """The article of a pressed button. Raises :class:`ServiceFailed`, :class:`NotThere`."""
        edition, _, number = data.partition(":")
        known = edition in {"en", locale_of(edition).language}
        if not (known and number.isascii() and number.isdecimal()):
            raise NotThere
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
        found = await self._fetcher.json(
            f"{self._root(edition)}/w/rest.php/v1/search/page",
            {"q": query, "limit": str(CHOICES + 1)},
        )
        try:
            return [(int(p["id"]), str(p["key"]), str(p["title"])) for p in found["pages"]]
        except (KeyError, TypeError, ValueError):
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
        rows = tuple((Button(title, "article", f"{edition}:{n}"),) for n, _key, title in others)
        return Reply(text=_("That can mean several things. Which one?"), buttons=rows)

    async def _summary(self, title: str, edition: str, language: str) -> tuple[bool, Reply]:
        found = await self._fetcher.json(
            f"{self._root(edition)}/api/rest_v1/page/summary/{quote(title, safe='')}"
        )
        try:
            page = str(found["content_urls"]["desktop"]["page"])
            text = f"{found['title']}\n\n{found['extract']}\n\n{page}"
        except (KeyError, TypeError):
            raise ServiceFailed("wrong") from None
        return found.get("type") == "disambiguation", Reply(text=text)
