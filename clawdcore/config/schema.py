"""The JSON Schema of clawdbot.json, for editors that complete and check it."""

from __future__ import annotations

from typing import Any, Final

from .aliases import ALIASES, BINDS, Alias
from .keys import describe
from .model import Config
from .node import Loc, path_text

_Schema = dict[str, Any]
_TEXT: Final[_Schema] = {"type": "string"}
_VARIABLE: Final[_Schema] = {
    "type": "string",
    "pattern": r"\$\{",
    "description": "An environment variable, as ${NAME}.",
}
_FILE: Final[_Schema] = {
    "type": "object",
    "description": "The secret is the text of this file.",
    "properties": {"file": {"type": "string", "description": "Relative to clawdbot.json."}},
    "required": ["file"],
    "additionalProperties": False,
}
_ANNOTATIONS: Final = ("description", "default", "examples", "deprecated")


def schema() -> dict[str, Any]:
    """The schema (draft 2020-12) with every key, short form and alias; always the same."""
    raw = Config.model_json_schema(by_alias=True)
    definitions: dict[str, _Schema] = {"Config": raw, **raw["$defs"]}
    for definition in definitions.values():
        definition.pop("title", None)
        definition["properties"] = {
            name: _property(value) for name, value in definition["properties"].items()
        }
    for alias in ALIASES:
        _add_alias(definitions, alias)
    _add_short_forms(definitions)
    _add_openclaw_values(definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "clawdbot.json",
        **raw,
    }


def _property(raw: _Schema) -> _Schema:
    """A key's schema, widened by variables and secret files, without what adds nothing."""
    if "$ref" in raw:
        return {"$ref": raw["$ref"]}
    core = {name: value for name, value in raw.items() if name not in ("title", *_ANNOTATIONS)}
    about = {name: raw[name] for name in _ANNOTATIONS if name in raw}
    branches = core["anyOf"] if list(core) == ["anyOf"] else [core]
    if any(branch.get("format") == "password" for branch in branches):
        branches = [*branches, _FILE]
    elif any(
        "enum" in branch or branch.get("type") in ("integer", "number", "boolean")
        for branch in branches
    ):
        branches = [*branches, _VARIABLE]
    return {**about, **(branches[0] if len(branches) == 1 else {"anyOf": branches})}


def _add_alias(definitions: dict[str, _Schema], alias: Alias) -> None:
    new = _definition(definitions, alias.new[:-1])["properties"][str(alias.new[-1])]
    value = {name: rule for name, rule in new.items() if name not in _ANNOTATIONS}
    if alias.convert is not None:
        seconds = alias.old[-1] == "timeoutSeconds"
        value = {"anyOf": [{"type": "number"}, _VARIABLE]} if seconds else _TEXT
    _deprecate(
        _definition(definitions, alias.old[:-1]), str(alias.old[-1]), path_text(alias.new), value
    )


def _add_short_forms(definitions: dict[str, _Schema]) -> None:
    config, provider = definitions["Config"], definitions["ProviderConfig"]
    config["properties"]["$schema"] = {
        "type": "string",
        "description": "Where editors find this schema; it configures nothing.",
    }
    plugins = config["properties"]["plugins"]
    plugins["items"] = {
        "anyOf": [{"type": "string", "description": "A plugin's name."}, plugins["items"]]
    }
    model = definitions["AgentDefaults"]["properties"]["model"]
    definitions["AgentDefaults"]["properties"]["model"] = {
        "anyOf": [{"type": "string", "description": "The primary model."}, model]
    }
    # A provider's name is its key in the map, not a key inside.
    del provider["properties"]["name"]
    provider["required"].remove("name")
    if not provider["required"]:
        del provider["required"]
    provider["properties"]["baseUrl"] = {
        **_TEXT,
        "description": "The server's address; baseUrls takes several.",
    }


def _add_openclaw_values(definitions: dict[str, _Schema]) -> None:
    telegram = definitions["TelegramConfig"]["properties"]
    telegram["streaming"]["anyOf"] += [
        {"type": "boolean"},
        {"enum": ["block", "progress"], "deprecated": True},
        {
            "type": "object",
            "deprecated": True,
            "properties": {"mode": {"enum": ["off", "partial", "block", "progress"]}},
            "required": ["mode"],
            "additionalProperties": False,
        },
    ]
    gateway = definitions["GatewayConfig"]
    modes = {"anyOf": [{"enum": [*BINDS, "custom"]}, _TEXT]}
    _deprecate(gateway, "bind", "gateway.host", modes)
    _deprecate(gateway, "customBindHost", "gateway.host", _TEXT)


def _deprecate(definition: _Schema, name: str, new: str, value: _Schema) -> None:
    definition["properties"][name] = {
        "description": f"OpenClaw's name for {new}.",
        "deprecated": True,
        **value,
    }


def _definition(definitions: dict[str, _Schema], loc: Loc) -> _Schema:
    key = describe(loc)
    assert key is not None  # aliases name keys that exist; a test walks them
    found: _Schema = definitions[key.annotation.__name__]
    return found
