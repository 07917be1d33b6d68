"""Claiming the bot, and what its owner is told."""

from __future__ import annotations

import asyncio

from clawdcore.hooks.storage import SettingsStore
from clawdcore.worker.owner import CLAIM_TRIES, CLAIMANTS, HOUR, PER_HOUR, SAME_PAUSE, Notes, Owner


def test_the_code_claims_once_and_is_remembered() -> None:
    async def story() -> None:
        store = SettingsStore()
        owner = Owner(None, store.of("core"))
        await owner.load()
        code = owner.code
        assert code
        assert not await owner.claim(7, "wrong")
        assert await owner.claim(7, f" {code} ")
        assert (owner.id, owner.code) == (7, "")
        assert not await owner.claim(8, code)
        again = Owner(None, store.of("core"))
        await again.load()
        assert (again.id, again.code) == (7, "")
        await store.close()

    asyncio.run(story())


def test_a_configured_owner_leaves_nothing_to_claim() -> None:
    async def story() -> None:
        store = SettingsStore()
        owner = Owner(5, store.of("core"))
        await owner.load()
        assert (owner.id, owner.code) == (5, "")
        assert not await owner.claim(7, "")
        await store.close()

    asyncio.run(story())


def test_guessing_closes_the_claim_to_who_guesses() -> None:
    async def story() -> None:
        store = SettingsStore()
        owner = Owner(None, store.of("core"))
        await owner.load()
        for _ in range(CLAIM_TRIES):
            assert not await owner.claim(7, "wrong")
        assert not await owner.claim(7, owner.code)
        assert await owner.claim(8, owner.code)
        await store.close()

    asyncio.run(story())


def test_the_same_trouble_is_told_once_in_a_while() -> None:
    notes = Notes()
    assert notes.allows("degraded", "m", 0.0)
    assert not notes.allows("degraded", "m", SAME_PAUSE - 1)
    assert notes.allows("degraded", "other", 1.0)
    assert notes.allows("degraded", "m", SAME_PAUSE + 1)


def test_recovery_is_told_only_when_trouble_was() -> None:
    notes = Notes()
    assert not notes.allows("recovered", "m", 0.0)
    assert notes.allows("degraded", "m", 1.0)
    assert notes.allows("recovered", "m", 2.0)
    assert not notes.allows("recovered", "m", 3.0)


def test_an_hour_has_a_bound_over_all_kinds() -> None:
    notes = Notes()
    assert sum(notes.allows("degraded", str(n), float(n)) for n in range(100)) == PER_HOUR
    assert notes.allows("degraded", "later", HOUR + 1)


def test_tries_are_remembered_of_so_many_users_only() -> None:
    owner = Owner(None, SettingsStore().of("core"))
    owner.code = "12345678"
    for user in range(CLAIMANTS + 5):
        assert not owner.fits(user, "wrong")
    assert len(owner._tries) == CLAIMANTS


def test_trouble_in_the_pause_is_held_until_it_may_be_told_or_is_over() -> None:
    notes = Notes()
    assert notes.held("m", 0.0) is None
    assert notes.allows("degraded", "m", 0.0)
    assert notes.allows("recovered", "m", 1.0)
    assert not notes.allows("degraded", "m", 2.0)
    assert notes.held("m", 2.0) == SAME_PAUSE - 2.0
    assert notes.allows("degraded", "m", SAME_PAUSE)
    assert notes.held("m", SAME_PAUSE) is None
    assert not notes.allows("degraded", "m", SAME_PAUSE + 1)
    assert notes.allows("recovered", "m", SAME_PAUSE + 2)
    assert notes.held("m", SAME_PAUSE + 3) is None
