"""A request as vLLM's engine takes it inside this process: a rendered prompt, and how to sample."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import msgspec

from clawdcore import ContextOverflow, Request, RequestRefused

from . import chat
from .engine_failures import too_long


async def render(engine: Any, request: Request, where: str) -> dict[str, Any]:
    """The turns in the words of the model's own template, as tokens under ``prompt_token_ids``.

    vLLM's renderer does it (0.32, renderers/base.py), off the event loop.

    Raises:
        ContextOverflow: they leave no room for an answer.
        RequestRefused: the request has tools.
    """
    if request.tools and request.tool_choice != "none":
        raise RequestRefused(
            f"{where} calls no tools: only a vLLM server reads calls out of an answer.",
            status=400,
            fix="Use baseUrl with a server of its own: clawdbot vllm serve.",
        )
    messages = msgspec.json.decode(chat.encode(request, "", None))["messages"]
    params = import_module("vllm.renderers.params").ChatParams(
        chat_template_kwargs={"add_generation_prompt": True}
    )
    context = int(engine.model_config.max_model_len)
    try:
        _, [prompt] = await engine.renderer.render_chat_async([messages], params)
    except Exception as error:
        if too_long(error):
            raise _too_long(where, context) from None
        raise
    rendered: dict[str, Any] = prompt
    if len(rendered.get("prompt_token_ids") or ()) >= context:
        raise _too_long(where, context)
    return rendered


def sampling(engine: Any, request: Request, prompt_tokens: int, most: int | None) -> Any:
    """How to sample, as vLLM takes it: new tokens only, the model's defaults where none is asked.

    ``most`` bounds the answer's tokens, beside what the context leaves.
    """
    module = import_module("vllm.sampling_params")
    room = int(engine.model_config.max_model_len) - prompt_tokens
    asked = [limit for limit in (request.max_tokens, most) if limit is not None]
    given: dict[str, Any] = {
        **engine.model_config.get_diff_sampling_param(),
        "max_tokens": min([room, *asked]),
        "output_kind": module.RequestOutputKind.DELTA,
    }
    if request.temperature is not None:
        given["temperature"] = request.temperature
    if request.stop:
        given["stop"] = list(request.stop)
    if request.schema is not None:
        given["structured_outputs"] = module.StructuredOutputsParams(json=request.schema)
    return module.SamplingParams(**given)


def _too_long(where: str, context: int) -> ContextOverflow:
    return ContextOverflow(
        f"The conversation doesn't fit {where}, which takes {context:,} tokens.",
        fix="Shorten it, or raise options.context.",
    )
