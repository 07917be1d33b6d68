"""The one way in which a call fails, in the shape that the Bot API gives it."""

from __future__ import annotations

from typing import Any

JSON = dict[str, Any]


class ApiError(Exception):
    """A refused call: ``code`` is the HTTP status and ``error_code``.

    ``retry_after`` is in whole seconds, ``migrate_to_chat_id`` the supergroup that a
    group became (core.telegram.org/bots/api#responseparameters).
    """

    def __init__(
        self,
        code: int,
        description: str,
        *,
        retry_after: int | None = None,
        migrate_to_chat_id: int | None = None,
    ) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.retry_after = retry_after
        self.migrate_to_chat_id = migrate_to_chat_id

    def body(self) -> JSON:
        """The answer: core.telegram.org/bots/api#making-requests."""
        answer: JSON = {"ok": False, "error_code": self.code, "description": self.description}
        if self.retry_after is not None:
            answer["parameters"] = {"retry_after": self.retry_after}
        if self.migrate_to_chat_id is not None:
            answer["parameters"] = {"migrate_to_chat_id": self.migrate_to_chat_id}
        return answer


def bad_request(what: str) -> ApiError:
    """400, ``Bad Request: what``."""
    return ApiError(400, f"Bad Request: {what}")


def forbidden(what: str) -> ApiError:
    """403, ``Forbidden: what``."""
    return ApiError(403, f"Forbidden: {what}")


def conflict(what: str) -> ApiError:
    """409, ``Conflict: what``."""
    return ApiError(409, f"Conflict: {what}")


def migrated(chat_id: int) -> ApiError:
    """400: the group is now the supergroup ``chat_id``."""
    return ApiError(
        400,
        "Bad Request: group chat was upgraded to a supergroup chat",
        migrate_to_chat_id=chat_id,
    )


def too_many_requests(retry_after: int) -> ApiError:
    """429 with ``retry_after`` in seconds, at least 1."""
    return ApiError(429, f"Too Many Requests: retry after {retry_after}", retry_after=retry_after)
