"""Settings that survive, and can be erased."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path
from typing import Any

import pytest

from clawdcore import Scope, StorageError
from clawdcore.hooks.storage import SettingsStore


def test_values_belong_to_plugin_chat_and_user() -> None:
    async def story() -> None:
        store = SettingsStore()
        one, two = store.of("one"), store.of("two")
        await one.set("language", ["zh", "fr"], chat=-5)
        await one.set("language", "de", chat=-5, user=7)
        assert await one.get("language", chat=-5) == ["zh", "fr"]
        assert await one.get("language", chat=-5, user=7) == "de"
        assert await one.get("language") is None
        assert await two.get("language", chat=-5, default="en") == "en"
        await one.set("language", None, chat=-5)
        assert await one.get("language", chat=-5) is None
        await store.close()

    asyncio.run(story())


def test_forget_erases_a_user_or_a_chat() -> None:
    async def story() -> None:
        store = SettingsStore()
        storage = store.of("p")
        await storage.set("a", 1, chat=-5, user=7)
        await storage.set("b", 2, chat=-5)
        await storage.set("c", 3, user=7)
        assert await store.forget(Scope(kind="user", id=7)) == 2
        assert await storage.get("b", chat=-5) == 2
        assert await store.forget(Scope(kind="chat", id=-5)) == 1
        assert await store.forget(Scope(kind="chat", id=-5)) == 0
        await store.close()

    asyncio.run(story())


def test_the_file_is_private_survives_and_forgets_for_good(tmp_path: Path) -> None:
    file = tmp_path / "new" / "settings.db"

    async def write() -> None:
        store = SettingsStore(file)
        await store.of("p").set("key", "canary-123456", user=7)
        await store.close()

    async def read_and_forget() -> Any:
        store = SettingsStore(file)
        value = await store.of("p").get("key", user=7)
        await store.forget(Scope(kind="user", id=7))
        await store.close()
        return value

    asyncio.run(write())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert asyncio.run(read_and_forget()) == "canary-123456"
    assert b"canary" not in file.read_bytes()


def test_content_is_too_large_for_a_setting() -> None:
    async def story() -> None:
        store = SettingsStore()
        with pytest.raises(StorageError, match="more than 4096 bytes") as caught:
            await store.of("p").set("key", "canary" * 1000)
        assert "canary" not in str(caught.value)
        with pytest.raises(StorageError, match="1 to 128"):
            await store.of("p").set("", 1)
        await store.close()

    asyncio.run(story())


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    async def story() -> None:
        store = SettingsStore(tmp_path / "file" / "settings.db")
        try:
            with pytest.raises(StorageError, match=r"agents\.defaults\.workspace"):
                await store.of("p").get("x")
        finally:
            await store.close()

    asyncio.run(story())
