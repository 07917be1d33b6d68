"""Parameters checked against the Bot API's description."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from clawdcore.testing.botapi.spec import check, load_spec

SPEC = load_spec()


def values(method: str, **given: Any) -> dict[str, Any]:
    return check(SPEC.methods[method.lower()], given, frozenset()).values


def test_the_description_is_whole() -> None:
    assert SPEC.version.startswith("Bot API 10")
    assert len(SPEC.methods) >= 180
    assert {"message", "callback_query", "message_reaction"} <= set(SPEC.updates)
    assert SPEC.methods["sendmessage"].parameters["chat_id"].required


@pytest.mark.parametrize(
    ("given", "value"),
    [(5, 5), ("5", 5), ("-100", -100), ("@news", "@news"), (5.0, 5)],
)
def test_chat_ids(given: object, value: object) -> None:
    assert values("sendMessage", chat_id=given, text="x")["chat_id"] == value


def test_names_of_what_is_wrong() -> None:
    method = SPEC.methods["sendmessage"]
    given = {
        "chat_id": [1],
        "entities": '{"a": 1}',
        "reply_parameters": "nonsense",
        "protect_content": "perhaps",
        "message_thread_id": "99999999999999999999",
        "colour": "red",
    }
    found = check(method, given, frozenset())
    assert found.missing == ["text"]
    assert found.unknown == ["colour"]
    assert sorted(found.wrong) == sorted(given.keys() - {"colour"})


def test_json_comes_as_text_or_as_json() -> None:
    keyboard: dict[str, Any] = {"inline_keyboard": []}
    for raw in (keyboard, json.dumps(keyboard)):
        assert (
            values("sendMessage", chat_id=1, text="x", reply_markup=raw)["reply_markup"] == keyboard
        )
    assert values("deleteMessages", chat_id=1, message_ids='["1", 2]')["message_ids"] == [1, 2]


def test_an_empty_value_is_none_unless_it_is_a_text() -> None:
    assert values("sendMessage", chat_id=1, text="", message_thread_id="", reply_markup="") == {
        "chat_id": 1,
        "text": "",
    }


def test_a_file_that_a_value_names_is_no_unknown_parameter() -> None:
    method = SPEC.methods["sendphoto"]
    given = {"chat_id": 1, "photo": "attach://f1"}
    assert check(method, given, frozenset({"f1"})).unknown == []
    assert check(method, given, frozenset({"f2"})).unknown == ["f2"]
    direct = check(method, {"chat_id": 1}, frozenset({"photo"}))
    assert direct.values["photo"] == "attach://photo"


def test_nested_too_deep_is_wrong() -> None:
    deep: Any = {}
    for _ in range(100):
        deep = {"a": deep}
    found = check(SPEC.methods["sendmessage"], {"reply_markup": deep}, frozenset())
    assert found.wrong == ["reply_markup"]


def test_the_compact_form_is_made_by_the_tool() -> None:
    path = Path(__file__).parents[2] / "tools" / "compact_bot_api.py"
    loaded = importlib.util.spec_from_file_location("compact_bot_api", path)
    assert loaded is not None
    assert loaded.loader is not None
    tool = importlib.util.module_from_spec(loaded)
    loaded.loader.exec_module(tool)
    full = {
        "version": "Bot API 0",
        "methods": {
            "getMe": {},
            "say": {"fields": [{"name": "to", "types": ["Integer", "String"], "required": True}]},
        },
        "types": {"Update": {"fields": [{"name": "update_id"}, {"name": "message"}]}},
    }
    compact = json.loads(tool.compact(full))
    assert compact == {
        "version": "Bot API 0",
        "updates": ["message"],
        "methods": {"getMe": {}, "say": {"to!": "Integer|String"}},
    }
