"""What a plugin needs of the world, said before it runs; of it, hosts are enforced."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from ..errors import PluginError

Chats = Literal["all", "private", "groups"]

HOST: Final = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_.:-]*[a-z0-9_])?|[0-9a-f]*:[0-9a-f:.]+")


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """What a plugin says that it needs; the owner sees it before and after installing.

    ``hosts`` are those that ``context.http`` may reach: ``api.example.org``, or
    ``*.example.org`` for everything below it. ``keeps`` says in a few words what it keeps of
    people in its storage ("each user's home city"), "" for nothing. ``chats`` are those whose
    messages it gets: its commands and handlers are not called in others.
    """

    hosts: tuple[str, ...] = ()
    keeps: str = ""
    chats: Chats = "all"

    def allows(self, host: str) -> bool:
        """Whether ``host``, in lower case and without a port, is among the hosts."""
        return any(
            host.endswith(each[1:]) if each.startswith("*.") else host == each
            for each in self.hosts
        )

    def in_chat(self, kind: str) -> bool:
        """Whether it gets messages of a chat of that kind ("private" or another)."""
        return self.chats == "all" or (self.chats == "private") == (kind == "private")


NOTHING: Final = Needs()


def checked(plugin: str, given: object) -> Needs:
    """What the hook ``needs`` returned; None is nothing.

    Raises:
        PluginError: it is no :class:`Needs`, or names what is no host.
    """
    if given is None:
        return NOTHING
    if not isinstance(given, Needs):
        raise PluginError(
            f"plugin {plugin!r}: needs returned {type(given).__name__}.",
            plugin=plugin,
            fix="Return clawdcore.Needs(hosts=(…), keeps=…).",
        )
    wrong = _wrong(given.hosts)
    if wrong or given.chats not in ("all", "private", "groups"):
        raise PluginError(
            f"plugin {plugin!r}: needs names {wrong or given.chats!r}.",
            plugin=plugin,
            fix='Hosts are names in lower case such as "api.example.org" or "*.example.org", '
            'without scheme, port and path; chats are "all", "private" or "groups".',
        )
    return given


def _wrong(hosts: Iterable[object]) -> str:
    if isinstance(hosts, str):
        return repr(hosts)
    return ", ".join(
        repr(host) for host in hosts if not (isinstance(host, str) and HOST.fullmatch(host))
    )
