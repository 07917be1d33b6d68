"""The languages that can be asked for: by code, English, Chinese or native name.

``languages.tsv`` holds one language a line; its codes, names and scripts agree
with CLDR (``tests/test_languages.py`` compares them where Babel is installed).
A library would do as well, but the names alone weigh 24 to 33 MB there
(language_data, Babel), and 8 kB here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from .scripts import ALPHABETS

TAG: Final = re.compile(r"([a-z]{2,3})(?:-([a-z]{4}))?(?:-([a-z]{2}|[0-9]{3}))?")
"""Language, script and region of a tag (RFC 5646, section 2.1), in lower case."""

TRADITIONAL: Final = frozenset({"tw", "hk", "mo"})
"""Regions that write Traditional Chinese."""

ACCENTS: Final = re.compile(r"(?<=\w)[\u0300-\u036f]+")
"""What people leave out: ``francais``, ``espanol``."""


@dataclass(frozen=True, slots=True)
class Language:
    """A language to translate into.

    ``code`` is its BCP-47 tag as we write it (``"zh-Hant"``), ``name`` its
    English name as models know it, ``chinese`` its Chinese name, ``scripts``
    the ISO 15924 codes of what it is written in, the usual one first.
    """

    code: str
    name: str
    chinese: str
    scripts: tuple[str, ...]

    @property
    def base(self) -> str:
        """The code without script and region: ``"zh"``."""
        return self.code.partition("-")[0]

    def name_for(self, reader: str) -> str:
        """Its name for somebody who reads the language of the IETF tag ``reader``."""
        return self.chinese if reader.lower().partition("-")[0] == "zh" else self.name

    @classmethod
    def parse(cls, words: str) -> Language:
        """The language that a code or name means.

        Raises:
            ValueError: we know none of that name.
        """
        found = find(words)
        if found is None:
            raise ValueError("not a language")
        return found


def find(words: str) -> Language | None:
    """The language for a name or code in any case, or None.

    A tag's region and script count where they change how it is written
    (``zh-TW``, ``pt-BR``) and are passed over elsewhere (``de-AT``).
    """
    known = _index()
    key = _key(words)
    found = known.get(key)
    if found is not None or not key.isascii():
        return found
    tag = TAG.fullmatch(key.replace("_", "-"))
    if tag is None:
        return None
    base, written, region = tag.groups()
    if written and written.title() not in ALPHABETS:
        return None
    if base in {"zh", "zho"} and (written == "hant" or (not written and region in TRADITIONAL)):
        return known["zh-hant"]
    return known.get(f"{base}-{region}") or known.get(base)


def is_code(word: str) -> bool:
    """Whether a word that :func:`find` knows is a bare code such as ``it``."""
    return _key(word) in _codes()


@cache
def longest_name() -> int:
    """Words of the longest name that :func:`find` knows."""
    return max(len(key.split()) for key in _index())


def languages() -> tuple[Language, ...]:
    """Every language, in the table's order."""
    return tuple(dict.fromkeys(_index().values()))


def _key(words: str) -> str:
    plain = ACCENTS.sub("", unicodedata.normalize("NFD", words.casefold()))
    return " ".join(plain.split())


def _rows() -> Iterator[list[str]]:
    table = files(__package__).joinpath("languages.tsv").read_text(encoding="utf-8")
    for line in table.splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")


@cache
def _codes() -> frozenset[str]:
    return frozenset(_key(code) for row in _rows() for code in row[:2] if code)


@cache
def _index() -> Mapping[str, Language]:
    index: dict[str, Language] = {}
    for code, iso3, scripts, *columns in _rows():
        english, chinese, native = (column.split(",") for column in columns)
        language = Language(code, english[0], chinese[0], tuple(scripts.split(",")))
        spoken = english + chinese + native
        for each in (code, iso3, *spoken):
            if each:
                index[_key(each)] = language
    return MappingProxyType(index)
