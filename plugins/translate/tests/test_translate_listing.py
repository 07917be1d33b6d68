"""A service's list of languages: believed when it came, asked for again when it did not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from clawdbot_translate.engines.contract import EngineFailed
from clawdbot_translate.engines.listing import AGAIN, Listing
from clawdcore.testing.clock import VirtualLoop

DAY = 86_400.0
Found = frozenset[str] | EngineFailed


class Service:
    """Gives ``lists`` one after the other, the last one again and again."""

    def __init__(self, *lists: Found) -> None:
        self.lists = list(lists)
        self.asked = 0

    async def __call__(self) -> frozenset[str]:
        self.asked += 1
        await asyncio.sleep(1)
        found = self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]
        if isinstance(found, EngineFailed):
            raise found
        return found


def run(service: Service, work: Callable[[Listing], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        clock = asyncio.get_running_loop().time
        listing = Listing("a", service, believed=DAY, clock=clock)
        await work(listing)
        await listing.close()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(whole())


EN, FR, NONE = frozenset({"en"}), frozenset({"fr"}), frozenset[str]()
DOWN = EngineFailed("a", "is down")


def test_a_list_is_believed_for_its_time() -> None:
    service = Service(EN, FR)

    async def work(listing: Listing) -> None:
        assert await listing.codes() == EN
        await asyncio.sleep(DAY - 2)
        assert await listing.codes() == EN and service.asked == 1
        await asyncio.sleep(3)
        assert await listing.codes() == FR and service.asked == 2

    run(service, work)


@pytest.mark.parametrize("first", [NONE, DOWN])
def test_an_empty_or_failed_list_is_asked_for_again_at_once(first: Found) -> None:
    service = Service(first, EN)

    async def work(listing: Listing) -> None:
        with pytest.raises(EngineFailed):
            await listing.codes()
        assert await listing.codes() == EN and service.asked == 2

    run(service, work)


@pytest.mark.parametrize("second", [NONE, DOWN])
def test_an_old_list_serves_while_no_new_one_can_be_had(second: Found) -> None:
    service = Service(EN, second, FR)

    async def work(listing: Listing) -> None:
        await listing.codes()
        await asyncio.sleep(DAY + 1)
        assert await listing.codes() == EN and await listing.codes() == EN
        assert service.asked == 2
        await asyncio.sleep(AGAIN + 1)
        assert await listing.codes() == FR

    run(service, work)


def test_who_wants_to_be_left_alone_is_not_asked_before() -> None:
    service = Service(EngineFailed("a", "is full", rest=100.0), EN)

    async def work(listing: Listing) -> None:
        with pytest.raises(EngineFailed):
            await listing.codes()
        await asyncio.sleep(40)
        with pytest.raises(EngineFailed) as caught:
            await listing.codes()
        assert caught.value.rest == 60.0 and service.asked == 1
        await asyncio.sleep(61)
        assert await listing.codes() == EN

    run(service, work)


def test_all_who_need_it_share_one_request_and_its_failure() -> None:
    service = Service(DOWN, EN)

    async def work(listing: Listing) -> None:
        answers = [asyncio.create_task(listing.codes()) for _ in range(20)]
        await asyncio.sleep(0.5)
        answers[0].cancel()  # nobody else loses the list by that
        found = await asyncio.gather(*answers, return_exceptions=True)
        assert isinstance(found[0], asyncio.CancelledError)
        assert all(isinstance(each, EngineFailed) for each in found[1:]) and service.asked == 1

    run(service, work)


def test_closing_ends_the_request() -> None:
    async def work(listing: Listing) -> None:
        waits = asyncio.create_task(listing.codes())
        await asyncio.sleep(0.5)
        await listing.close()
        with pytest.raises(asyncio.CancelledError):
            await waits

    run(Service(EN), work)
