"""Where plugins keep settings: one small SQLite file of ids, names and values.

Never content: a value is bounded to 4096 bytes, and belongs to a chat or user
so that ``/forget`` can erase it. ``secure_delete`` overwrites what is deleted.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, Final, TypeVar

from ..errors import StorageError
from .context import Storage
from .scope import Scope

T = TypeVar("T")
SETTINGS_FILE: Final = "settings.db"
VALUE_LIMIT: Final = 4096
KEY_LIMIT: Final = 128
SCHEMA: Final = """
create table if not exists setting (
    plugin text not null, key text not null, chat integer not null, user integer not null,
    value text not null, primary key (plugin, key, chat, user)
) without rowid;
create index if not exists setting_chat on setting (chat);
create index if not exists setting_user on setting (user);
"""

FORGET: Final = {
    "chat": "delete from setting where chat=?",
    "user": "delete from setting where user=?",
}


class SettingsStore:
    """The file behind every plugin's storage. ``path`` None keeps it in memory.

    The file gets mode 0600. All statements run in one thread of its own.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._database: sqlite3.Connection | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="settings")

    def _open(self) -> sqlite3.Connection:
        if self._database is None:
            if self._path is None:
                where = ":memory:"
            else:
                self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
                where = str(self._path)
            database = sqlite3.connect(where, check_same_thread=False)
            try:
                database.execute("pragma secure_delete = on")
                database.execute("pragma journal_mode = delete")
                database.executescript(SCHEMA)
            except BaseException:
                database.close()
                raise
            self._database = database
        return self._database

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def job() -> T:
            try:
                with self._open() as database:
                    return work(database)
            except (sqlite3.Error, OSError) as error:
                raise StorageError(
                    f"settings can't be kept in {self._path or 'memory'} ({error}).",
                    fix="Check the folder of agents.defaults.workspace: rights and free space.",
                ) from error

        return await asyncio.get_running_loop().run_in_executor(self._thread, job)

    def of(self, plugin: str) -> Storage:
        """The part of the store that belongs to one plugin."""
        return _PluginStorage(self, plugin)

    async def get(self, plugin: str, key: str, chat: int, user: int) -> str | None:
        """The stored JSON text, or None."""
        row = await self._run(
            lambda database: database.execute(
                "select value from setting where plugin=? and key=? and chat=? and user=?",
                (plugin, key, chat, user),
            ).fetchone()
        )
        return None if row is None else str(row[0])

    async def set(self, plugin: str, key: str, chat: int, user: int, value: str | None) -> None:
        """Keep JSON text; None deletes."""

        def work(database: sqlite3.Connection) -> None:
            if value is None:
                database.execute(
                    "delete from setting where plugin=? and key=? and chat=? and user=?",
                    (plugin, key, chat, user),
                )
            else:
                database.execute(
                    "insert or replace into setting values (?, ?, ?, ?, ?)",
                    (plugin, key, chat, user, value),
                )

        await self._run(work)

    async def chats(self, plugin: str, prefix: str) -> list[tuple[str, int]]:
        """The keys that begin with ``prefix``, each with the chat that it belongs to."""
        rows = await self._run(
            lambda database: database.execute(
                "select key, chat from setting where plugin=? and substr(key, 1, ?)=?",
                (plugin, len(prefix), prefix),
            ).fetchall()
        )
        return [(str(key), int(chat)) for key, chat in rows]

    async def forget(self, scope: Scope) -> int:
        """Erase everything of a chat or a user; returns how many values it was."""
        statement = FORGET[scope.kind]
        return await self._run(lambda database: database.execute(statement, (scope.id,)).rowcount)

    async def close(self) -> None:
        """Close the file; the store must not be used afterwards."""

        def work() -> None:
            if self._database is not None:
                self._database.close()
                self._database = None

        await asyncio.get_running_loop().run_in_executor(self._thread, work)
        self._thread.shutdown(wait=False)


def read_settings(
    path: Path, *, chat: int | None = None, user: int | None = None
) -> list[dict[str, Any]]:
    """Every value in the file at ``path``, also while a bot writes it, with whose it is.

    With ``chat`` or ``user`` only what belongs to that one.

    Raises:
        clawdcore.errors.StorageError: it can't be read.
    """
    wanted = {name: id for name, id in {"chat": chat, "user": user}.items() if id is not None}
    where = " and ".join(f"{name}=:{name}" for name in wanted) or "true"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            rows = database.execute(
                "select plugin, key, chat, user, value from setting"  # noqa: S608 - two names
                f" where {where} order by plugin, key, chat, user",
                wanted,
            )
            names = ("plugin", "key", "chat", "user")
            return [
                {**dict(zip(names, whose, strict=True)), "value": json.loads(value)}
                for *whose, value in rows
            ]
    except (sqlite3.Error, OSError) as error:
        raise StorageError(
            f"the settings {path} can't be read ({type(error).__name__}).",
            fix="Run this as the bot's user.",
        ) from error


class _PluginStorage:
    """A :class:`~clawdcore.Storage` over the store's rows of one plugin."""

    def __init__(self, store: SettingsStore, plugin: str) -> None:
        self._store = store
        self._plugin = plugin

    async def get(self, key: str, *, chat: int = 0, user: int = 0, default: Any = None) -> Any:
        text = await self._store.get(self._plugin, key, chat, user)
        return default if text is None else json.loads(text)

    async def set(self, key: str, value: Any, *, chat: int = 0, user: int = 0) -> None:
        if not key or len(key) > KEY_LIMIT:
            raise StorageError(f"a storage key has 1 to {KEY_LIMIT} characters, not {len(key)}.")
        text = None if value is None else json.dumps(value, separators=(",", ":"))
        if text is not None and len(text.encode()) > VALUE_LIMIT:
            raise StorageError(
                f"plugin {self._plugin!r}: the value of {key!r} has more than {VALUE_LIMIT} bytes.",
                fix="Storage is for settings, not for content.",
            )
        await self._store.set(self._plugin, key, chat, user, text)
