"""The backend that runs vLLM's engine inside this process, where no server is wanted."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from importlib import import_module
from importlib.util import find_spec
from typing import Any, ClassVar, Final

from clawdcore import (
    Backend,
    BackendError,
    BackendUnavailable,
    Chunk,
    Load,
    ModelInfo,
    ModelNotFound,
    Overloaded,
    Request,
    ServerSlow,
    Usage,
)

from .advice import Line
from .engine_failures import WAIT, named
from .engine_options import EngineOptions
from .engine_prompt import render, sampling
from .engine_stats import EngineStats
from .reading import Finish

FINISHES: Final[dict[str, Finish]] = {"stop": "stop", "length": "length", "abort": "abort"}
INSTALL: Final = "pip install 'clawdbot-vllm[engine]', or use baseUrl with a server."
CLOSING: Final = 10.0
"""Seconds for the engine's own process to end; then it is killed."""

Make = Callable[[EngineOptions, str, EngineStats], Any]
"""Makes an AsyncLLM; called in a thread, since it takes from seconds to minutes."""


class EngineBackend(Backend):
    """vLLM's AsyncLLM behind the contract; its GPU work is in a child process of vLLM's own.

    ``model_id`` is what requests call the model ("" for the last part of
    ``options.model``), ``max_output_tokens`` bounds every answer. ``make`` is
    vLLM's own unless a test knows better.
    """

    exclusive: ClassVar[bool] = True

    def __init__(
        self,
        options: EngineOptions,
        *,
        name: str = "vllm",
        model_id: str = "",
        max_output_tokens: int | None = None,
        make: Make | None = None,
    ) -> None:
        self._options = options
        self._model_id = model_id or options.model.rstrip("/").rpartition("/")[2]
        self._most = max_output_tokens
        self._make = make or make_engine
        self._where = f"{name}'s engine"
        self._lock = asyncio.Lock()
        self._engine: Any = None
        self._stats: EngineStats | None = None
        self._requests = 0

    async def start(self) -> None:
        """Load the model.

        Raises:
            BackendUnavailable: vLLM is not installed, or can't load it.
        """
        async with self._lock:
            if self._engine is not None:
                return
            stats = EngineStats(asyncio.get_running_loop().time)
            making = asyncio.ensure_future(
                asyncio.to_thread(self._make, self._options, self._model_id, stats)
            )
            try:
                engine = await asyncio.shield(making)
            except asyncio.CancelledError:
                making.add_done_callback(_discard)
                raise
            except BackendError:
                raise
            except Exception as error:
                raise BackendUnavailable(
                    f"{self._where} can't load {self._options.model} ({type(error).__name__}).",
                    fix="The lines above say why. Out of memory: lower options.memory, "
                    "options.context or options.sequences, or take a smaller model.",
                ) from error
            self._engine, self._stats = engine, stats

    async def close(self) -> None:
        async with self._lock:
            engine, self._engine = self._engine, None
            if engine is not None:
                await asyncio.to_thread(engine.shutdown, CLOSING)

    async def diagnose(self) -> list[Line]:
        """What ``clawdbot doctor`` says of it; starts nothing."""
        if find_spec("vllm") is None:
            return [("FAIL", "vLLM is not installed in this Python.", INSTALL)]
        return [("OK", f"vLLM is installed, to run {self._options.model} in the bot", "")]

    async def models(self) -> list[ModelInfo]:
        context = self._options.context
        if self._engine is not None:
            context = int(self._engine.model_config.max_model_len)
        return [
            ModelInfo(
                id=self._model_id,
                context_length=context,
                max_output_tokens=min(self._most or context, context),
                images=self._engine is not None
                and bool(self._engine.model_config.is_multimodal_model),
            )
        ]

    async def load(self) -> Load:
        seats = self._options.sequences
        if self._stats is None:
            return Load(running=0, waiting=0, capacity=seats)
        return self._stats.load(self._requests, seats)

    async def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """As :meth:`clawdcore.Backend.generate`.

        A deadline that passes after the first token ends the answer with "abort";
        before it, with :class:`~clawdcore.ServerSlow`.
        """
        if request.model not in ("", self._model_id):
            raise ModelNotFound(
                f"{self._where} runs {self._model_id}, not {request.model}.",
                fix="Correct the model's name, or options.model.",
            )
        engine, stats = self._engine, self._stats
        if engine is None or stats is None:
            raise BackendUnavailable(f"{self._where} is not started.")
        if self._requests >= self._options.sequences + self._options.queue:
            wait = stats.load(self._requests, self._options.sequences).queue_time or 0.0
            raise Overloaded(f"{self._where} is full.", retry_after=max(WAIT, wait))
        self._requests += 1
        try:
            async with aclosing(self._answer(engine, stats, request)) as chunks:
                async for chunk in chunks:
                    yield chunk
        finally:
            self._requests -= 1

    async def _answer(
        self, engine: Any, stats: EngineStats, request: Request
    ) -> AsyncGenerator[Chunk, None]:
        begun = False
        prompted = generated = 0
        try:
            async with asyncio.timeout_at(request.deadline):
                prompt = await render(engine, request, self._where)
            prompted = len(prompt.get("prompt_token_ids") or ())
            params = sampling(engine, request, prompted, self._most)
            outputs = engine.generate(
                prompt, params, secrets.token_hex(16), priority=int(request.priority)
            )
            async with aclosing(outputs), aclosing(_until(outputs, request.deadline)) as timed:
                async for output in timed:
                    [completion] = output.outputs
                    begun = begun or bool(completion.token_ids)
                    generated += len(completion.token_ids)
                    if completion.finish_reason == "error":
                        raise RuntimeError("the engine gave the request up")
                    finish = FINISHES.get(completion.finish_reason or "")
                    usage = Usage(prompted, generated) if output.finished else None
                    if output.finished and finish is None:
                        finish = "stop"  # a reason that only vLLM has
                    if completion.text or finish:
                        yield Chunk(completion.text, finish, usage)
        except TimeoutError:
            if not begun:
                raise ServerSlow(
                    f"{self._where} did not begin to answer before the deadline."
                ) from None
            yield Chunk(finish="abort", usage=Usage(prompted, generated))
        except BackendError:
            raise
        except Exception as error:  # noqa: BLE001 - vLLM's own errors have no common base
            wait = stats.load(self._requests, self._options.sequences).queue_time
            raise named(error, self._where, begun=begun, wait=wait) from None


async def _until(outputs: AsyncIterator[Any], deadline: float | None) -> AsyncGenerator[Any, None]:
    """What ``outputs`` gives. Raises TimeoutError at the deadline, which aborts the request."""
    while True:
        async with asyncio.timeout_at(deadline):
            try:
                output = await anext(outputs)
            except StopAsyncIteration:
                return
        yield output


def _discard(making: asyncio.Future[Any]) -> None:
    """An engine that was made after all, when nobody waited for it any more."""
    if not making.cancelled() and making.exception() is None:
        making.result().shutdown(CLOSING)


def make_engine(options: EngineOptions, model_id: str, stats: EngineStats) -> Any:
    """A running AsyncLLM.

    Raises:
        BackendUnavailable: vLLM is not installed.
    """
    try:
        arguments = import_module("vllm.engine.arg_utils")
        engine = import_module("vllm.v1.engine.async_llm")
    except ModuleNotFoundError as error:
        raise BackendUnavailable(
            f"vLLM can't be imported: there is no module {error.name}.",
            fix=INSTALL,
        ) from None
    args = arguments.AsyncEngineArgs(**options.engine_arguments(model_id))
    return engine.AsyncLLM.from_engine_args(args, stat_loggers=[stats.factory])
