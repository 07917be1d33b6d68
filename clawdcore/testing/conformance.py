"""What every backend must do: a class of tests that a backend's author subclasses.

.. code-block:: python

    class TestMine(BackendConformance):
        backend = staticmethod(lambda: MyBackend("http://127.0.0.1:8000/v1"))

The backend is a real one, with whatever it needs running; each test makes, starts and
closes one of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from typing import Any, Final, get_args

from ..backend import Backend, Chunk, Finish, ModelInfo, Request, Turn
from ..errors import Overloaded

FINISHES: Final = get_args(Finish)
ASK: Final = Request(turns=(Turn("user", "Count from one to twenty, in words."),), max_tokens=64)


class BackendConformance:
    """Subclass it with ``backend``, a function without arguments that makes one.

    ``surroundings`` is an async context manager around each test, for one the server that
    the backend speaks to; none by default. ``patience`` is the seconds that one test may
    take, ``request`` what is asked: it must give an answer of several pieces.
    """

    backend: Callable[[], Backend]
    patience: float = 120.0
    request: Request = ASK

    def surroundings(self) -> AbstractAsyncContextManager[Any]:
        """What the backend needs around it."""
        return nullcontext()

    def _play(self, story: Callable[[Backend], Awaitable[None]]) -> None:
        async def played() -> None:
            async with asyncio.timeout(self.patience), self.surroundings():
                backend = self.backend()
                await backend.start()
                try:
                    await story(backend)
                finally:
                    await backend.close()

        asyncio.run(played())

    async def _whole(self, backend: Backend) -> list[Chunk]:
        async with aclosing(self._asked(backend)) as chunks:
            return [chunk async for chunk in chunks]

    def _asked(self, backend: Backend) -> Any:
        """The answer: an async iterator with ``aclose``, as an async generator is."""
        return backend.generate(self.request)

    async def _idle(self, backend: Backend) -> None:
        """Until nothing runs any more."""
        while (await backend.load()).running:  # noqa: ASYNC110 - a server offers nothing to await
            await asyncio.sleep(0.02)

    def test_it_names_its_models_and_their_limits(self) -> None:
        async def story(backend: Backend) -> None:
            models = await backend.models()
            assert models, "it serves no model"
            assert len({model.id for model in models}) == len(models), "two models of one id"
            for model in models:
                assert model.context_length > 0
                assert 0 < model.max_output_tokens <= model.context_length

        self._play(story)

    def test_an_answer_comes_in_pieces_and_its_last_one_says_why_it_ended(self) -> None:
        async def story(backend: Backend) -> None:
            chunks = await self._whole(backend)
            assert "".join(chunk.text for chunk in chunks).strip(), "the answer is empty"
            assert chunks[-1].finish in FINISHES, "the last chunk has no finish"
            assert all(chunk.finish is None for chunk in chunks[:-1]), "it went on after a finish"
            await self._idle(backend)

        self._play(story)

    def test_closing_the_answer_ends_the_work(self) -> None:
        async def story(backend: Backend) -> None:
            async with aclosing(self._asked(backend)) as chunks:
                async for _ in chunks:
                    break
            await self._idle(backend)
            assert await self._whole(backend), "it gives nothing after one that was closed"

        self._play(story)

    def test_cancelling_who_waits_ends_the_work(self) -> None:
        async def story(backend: Backend) -> None:
            begun = asyncio.Event()

            async def wait() -> None:
                async with aclosing(self._asked(backend)) as chunks:
                    async for _ in chunks:
                        begun.set()

            task = asyncio.create_task(wait())
            await asyncio.wait(
                {task, asyncio.create_task(begun.wait())}, return_when="FIRST_COMPLETED"
            )
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self._idle(backend)

        self._play(story)

    def test_many_at_once_are_each_answered_or_refused_with_a_time(self) -> None:
        async def story(backend: Backend) -> None:
            results = await asyncio.gather(
                *(self._whole(backend) for _ in range(24)), return_exceptions=True
            )
            answered = [each for each in results if isinstance(each, list)]
            refused = [each for each in results if isinstance(each, Overloaded)]
            others = [each for each in results if not isinstance(each, list | Overloaded)]
            assert others == []
            assert answered, "none of 24 was answered"
            assert all(error.retry_after > 0 for error in refused)
            await self._idle(backend)

        self._play(story)

    def test_its_load_makes_sense(self) -> None:
        async def story(backend: Backend) -> None:
            load = await backend.load()
            assert min(load.running, load.waiting, load.capacity) >= 0
            assert load.cache_use is None or 0 <= load.cache_use <= 1
            assert load.tokens_per_second is None or load.tokens_per_second >= 0

        self._play(story)

    def test_two_starts_at_once_are_one(self) -> None:
        async def ready(backend: Backend) -> list[ModelInfo]:
            await backend.start()
            return await backend.models()

        async def story() -> None:
            async with asyncio.timeout(self.patience), self.surroundings():
                backend = self.backend()
                try:
                    one, other = await asyncio.gather(ready(backend), ready(backend))
                    assert one == other, "a start was over before the backend was ready"
                finally:
                    await backend.close()

        asyncio.run(story())

    def test_it_can_be_closed_in_any_state_and_more_than_once(self) -> None:
        async def story() -> None:
            async with asyncio.timeout(self.patience), self.surroundings():
                never_started = self.backend()
                await never_started.close()
                backend = self.backend()
                await backend.start()
                await backend.close()
                await backend.close()

        asyncio.run(story())
