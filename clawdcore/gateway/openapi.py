"""The OpenAPI document, made from the same records that read the calls."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from .chat import ChatBody
from .responses import ResponsesBody

VERSION: Final = "1"
_REF: Final = "#/components/schemas/"
_MEANINGS: Final = {
    400: "The body can't be used; `param` says which field.",
    401: "The token is missing or wrong.",
    404: "No such model.",
    405: "Another method is possible here; see Allow.",
    408: "The body did not come in time.",
    413: "The body is larger than 20 MiB.",
    415: "The body is not application/json.",
    421: "Without a token only localhost and addresses are answered.",
    429: "Too much waits, or it could not be done in time; see Retry-After.",
    431: "The head of the call is too large.",
    500: "The gateway failed.",
    502: "The model failed, or its server answered nonsense.",
    503: "The model can't be reached, or the bot is stopping.",
    504: "No answer within the time for it.",
}
_ERRORS: Final[dict[str, Any]] = {
    "Error": {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["message", "type", "param", "code"],
                "properties": {
                    "message": {"type": "string"},
                    "type": {"type": "string"},
                    "param": {"type": ["string", "null"]},
                    "code": {"type": ["string", "null"]},
                },
            }
        },
    }
}


def document() -> dict[str, Any]:
    """The whole document."""
    _, schemas = msgspec.json.schema_components(
        (ChatBody, ResponsesBody), ref_template=_REF + "{name}"
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ClawdBot gateway",
            "version": VERSION,
            "description": "OpenAI's API over the same queue as the bot's messages.",
        },
        "components": {
            "schemas": {**schemas, **_ERRORS},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        # A token, or none where the configuration asks for none.
        "security": [{"token": []}, {}],
        "paths": {
            "/v1/chat/completions": _generating(
                "createChatCompletion", "Answer a conversation", "ChatBody", "chat.completion"
            ),
            "/v1/responses": _generating(
                "createResponse", "Answer an input", "ResponsesBody", "response"
            ),
            "/v1/models": _page("listModels", "The models that are served", _object("data")),
            "/v1/models/{model}": _page(
                "getModel", "One model", _object("id"), 400, 404, parameter="model"
            ),
            "/health": _page("health", "How the bot is doing", _object("status"), also=503),
            "/ready": _page("ready", "Whether calls and messages are taken", _ready(), also=503),
            "/metrics": _metrics(),
            "/openapi.json": _page("openapi", "This document", _object("openapi")),
        },
    }


def _object(*required: str) -> dict[str, Any]:
    return {"type": "object", "required": list(required)}


def _ready() -> dict[str, Any]:
    return _object("ready") | {"properties": {"ready": {"type": "boolean"}}}


def _content(schema: dict[str, Any], kind: str = "application/json") -> dict[str, Any]:
    return {kind: {"schema": schema}}


def _error(status: int) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": _MEANINGS[status],
        "content": _content({"$ref": f"{_REF}Error"}),
    }
    if status in (429, 503):
        answer["headers"] = {
            "Retry-After": {
                "description": "Seconds after which it is worth coming back.",
                "schema": {"type": "integer", "minimum": 1},
            }
        }
    return answer


def _errors(*statuses: int) -> dict[str, Any]:
    return {str(status): _error(status) for status in statuses}


def _generating(name: str, summary: str, body: str, kind: str) -> dict[str, Any]:
    whole = _object("id", "object", "model") | {"properties": {"object": {"const": kind}}}
    statuses = (400, 401, 404, 405, 408, 413, 415, 421, 429, 431, 500, 502, 503, 504)
    return {
        "post": {
            "operationId": name,
            "summary": summary,
            "requestBody": {
                "required": True,
                "content": _content({"$ref": f"{_REF}{body}"}),
            },
            "responses": {
                "200": {
                    "description": "The answer; with `stream` its events, then [DONE] in chat.",
                    "content": _content(whole) | _content({"type": "string"}, "text/event-stream"),
                },
                **_errors(*statuses),
            },
        }
    }


def _page(
    name: str,
    summary: str,
    schema: dict[str, Any],
    *errors: int,
    parameter: str = "",
    also: int | None = None,
) -> dict[str, Any]:
    answer = {"description": summary, "content": _content(schema)}
    page: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "responses": {"200": answer, **_errors(*sorted({401, 405, 421, 431, 500, *errors}))},
    }
    if also is not None:
        page["responses"][str(also)] = answer
    else:
        page["responses"].update(_errors(503))
    if parameter:
        page["parameters"] = [
            {
                "name": parameter,
                "in": "path",
                "required": True,
                "description": "PROVIDER/NAME or NAME, slashes as they are.",
                "schema": {"type": "string", "minLength": 1},
            }
        ]
    return {"get": page}


def _metrics() -> dict[str, Any]:
    page = _page("metrics", "Numbers, for Prometheus or as JSON", _object("queue_size"))
    answers = page["get"]["responses"]["200"]["content"]
    answers.update(_content({"type": "string"}, "text/plain"))
    page["get"]["parameters"] = [
        {
            "name": "format",
            "in": "query",
            "required": False,
            "description": "json instead of Prometheus' text, as by Accept: application/json.",
            "schema": {"type": "string", "enum": ["json", "prometheus"]},
        }
    ]
    return page
