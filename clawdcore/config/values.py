"""The kinds of values that sections share, and the checks behind them."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    SecretStr,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

REFUSED: Final = "clawdbot"
"""The pydantic error type of the checks below; their text is meant for people."""


class Section(BaseModel):
    """An object of the file: camelCase there, snake_case here, frozen, strict."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        strict=True,
        hide_input_in_errors=True,
        validate_by_alias=True,
        validate_by_name=True,
        protected_namespaces=(),
        allow_inf_nan=False,
    )


class Placeholder(str):
    """Marks the key type of a map: how documentation writes "any key" of it."""


def refuse(what: str, fix: str) -> PydanticCustomError:
    """The error of a check of ours; ``what`` follows the key's path.

    Neither text may hold the value: it can be a secret.
    """
    return PydanticCustomError(REFUSED, "{what}", {"what": what, "fix": fix})


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or re.search(r"\s", value):
        raise refuse("is no web address.", 'Write it as "http://host:port/path".')
    return value.rstrip("/")


def _bot_api_root(value: str) -> str:
    if re.search(r"/bot\d+:", value):
        raise refuse("holds a bot token.", "End it before /bot…, and give the token as botToken.")
    return _url(value)


def _secret(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not text:
        raise refuse("is empty.", "Write the secret, or remove the key.")
    if re.search(r"[\s\x00-\x1f\x7f]", text):
        raise refuse("holds a space or a control character.", "Copy the secret anew.")
    return value


def _webhook_secret(value: SecretStr) -> SecretStr:
    # https://core.telegram.org/bots/api#setwebhook, secret_token
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", value.get_secret_value()):
        raise refuse(
            "must be 1 to 256 of the characters A-Z, a-z, 0-9, _ and -.",
            "Make one with: openssl rand -hex 32.",
        )
    return value


def _peer(value: Any) -> int | str:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    if isinstance(value, str):
        text = value.strip().removeprefix("telegram:").removeprefix("tg:")
        if text == "*":
            return text
        if re.fullmatch(r"[1-9][0-9]{0,18}", text):
            return int(text)
        if re.fullmatch(r"@[A-Za-z][A-Za-z0-9_]{2,31}", text):
            return text.lower()
    raise refuse('must be a user\'s id, "@name" or "*".', 'Write it as 12345, or as "@ada".')


def _chat_id(value: str) -> str:
    if value != "*" and not re.fullmatch(r"-?[1-9][0-9]{0,18}", value):
        raise refuse('is no chat id, and not "*".', 'Write a group\'s id as "-1001234567890".')
    return value


def _provider_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", value):
        raise refuse("can't name a provider.", "Use letters, digits, dots, - and _.")
    return value


def _plugin_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", value):
        raise refuse("can't be a plugin's name.", 'Write it as "chat".')
    return value


def _model_reference(value: str) -> str:
    provider, _, model = value.partition("/")
    if not provider or not model or re.search(r"\s", value):
        raise refuse('must look like "provider/model".', 'Write it as "vllm/Qwen2.5-7B-Instruct".')
    return value


def _local_path(value: str) -> str:
    if not value.startswith("/") or re.search(r"[\s?#]", value):
        raise refuse("must be a path that begins with /.", 'Write it as "/telegram-webhook".')
    return value


def _host(value: str) -> str:
    if not value or re.search(r"[\s/@]", value):
        raise refuse("must be a host's name or address.", 'Write it as "127.0.0.1".')
    return value


_PEER_SCHEMA: Final = {
    "anyOf": [
        {"type": "integer", "minimum": 1},
        {"type": "string", "pattern": r"^(\*|@\w+|((tg|telegram):)?[0-9]+|.*\$\{.*)$"},
    ]
}

Url = Annotated[str, AfterValidator(_url)]
BotApiRoot = Annotated[str, AfterValidator(_bot_api_root)]
LocalPath = Annotated[str, AfterValidator(_local_path)]
Host = Annotated[str, AfterValidator(_host)]
Port = Annotated[int, Field(ge=1, le=65535)]
Secret = Annotated[SecretStr, AfterValidator(_secret)]
WebhookSecret = Annotated[SecretStr, AfterValidator(_webhook_secret)]
ModelReference = Annotated[str, AfterValidator(_model_reference)]
PluginName = Annotated[str, AfterValidator(_plugin_name)]
ProviderName = Annotated[str, AfterValidator(_provider_name), Placeholder("<name>")]
ChatId = Annotated[str, AfterValidator(_chat_id), Placeholder("<chat id>")]
Peer = Annotated[int | str, PlainValidator(_peer), WithJsonSchema(_PEER_SCHEMA)]
"""A user: an id, ``"@name"`` (kept in lower case) or ``"*"``; OpenClaw's ``"tg:1"`` is an id."""
