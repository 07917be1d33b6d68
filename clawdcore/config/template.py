"""The text of a new clawdbot.json, as ``clawdbot init`` writes it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from string import Template
from typing import Any, Final

from .agents import DEFAULT_MODEL
from .model import DEFAULT_PLUGINS

# Values that init fills in begin with ">": the usual "$" is taken by ${NAME}.
_TEXT: Final = """\
// The configuration of ClawdBot. This is JSON5: comments and commas at the end
// are fine. Every key may be left out; docs/configuration.md lists them all.
// Keys behind "//" show their default, or an example.
{
  agents: { defaults: {
    model: {
      primary: >model,
      // fallbacks: ["provider/model"],   // asked in order when the primary can't answer
    },
    // workspace: "/app/workspace",       // ids and settings, never content
    // maxConcurrent: 8,                  // messages in plugins' hands at once
    // timeout: { request: 30000, total: 60000 },   // milliseconds
  } },

>models

  channels: { telegram: {
    botToken: >token,
>owner
    // dmPolicy: "open",                  // or "allowlist" (with allowFrom), or "disabled"
    // allowFrom: [12345, "@ada"],        // who may write in private
    // groups: { "*": { requireMention: true } },
    // streaming: "partial",              // or "off": answers are sent whole
  } },

  // An entry is a name, or { name: "chat", options: { … } }.
  plugins: >plugins,
}
"""

_PROVIDER: Final = """\
  models: { providers: { >name: {
    baseUrl: >url,                        // or baseUrls: […] for replicas
>key
    // api: "openai-completions",         // or "openai-responses"
  } } },"""

_NO_PROVIDER: Final = """\
  // models: { providers: { vllm: { baseUrl: "http://vllm:8000/v1" } } },"""


class _Template(Template):
    delimiter = ">"


def template(
    *,
    model: str = DEFAULT_MODEL,
    base_url: str | None = None,
    api_key_variable: str | None = None,
    token_file: str | None = None,
    owner: int | None = None,
    plugins: Sequence[str] = DEFAULT_PLUGINS,
) -> str:
    """A commented clawdbot.json that loads as the defaults plus what is given.

    ``model`` is ``provider/model``; ``base_url`` is its provider's address, None
    for the built-in one. ``api_key_variable`` names the environment variable with
    that server's key. The bot's token is read from ``token_file``, else from
    ``TELEGRAM_BOT_TOKEN``. ``owner`` is a user id.
    """
    models = _NO_PROVIDER
    if base_url is not None:
        key = '    // apiKey: { file: "api-key" },'
        if api_key_variable is not None:
            key = f"    apiKey: {_json(f'${{{api_key_variable}}}')},"
        models = _Template(_PROVIDER).substitute(
            name=_json(model.partition("/")[0]), url=_text(base_url), key=key
        )
    token = '"${TELEGRAM_BOT_TOKEN}"' if token_file is None else f"{{ file: {_text(token_file)} }}"
    return _Template(_TEXT).substitute(
        model=_text(model),
        models=models,
        token=token,
        owner="    // owner: 12345,                     // your user id"
        if owner is None
        else f"    owner: {owner},",
        plugins=_json(list(plugins)),
    )


def _text(value: str) -> str:
    """A value as JSON, safe from being taken for a reference to a variable."""
    return _json(value.replace("${", "$${"))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
