"""Keyboards under messages, checked as far as a bot gets them wrong.

Source: core.telegram.org/bots/api#inlinekeyboardmarkup and #inlinekeyboardbutton.
"""

from __future__ import annotations

from typing import Any

from .errors import JSON, bad_request

MAX_BUTTONS = 100
MAX_DATA_BYTES = 64
_ACTIONS = frozenset(
    {
        "url", "callback_data", "web_app", "login_url", "switch_inline_query",
        "switch_inline_query_current_chat", "switch_inline_query_chosen_chat", "copy_text",
        "callback_game", "pay",
    }
)  # fmt: skip


def inline_keyboard(markup: JSON | None) -> JSON | None:
    """The inline keyboard that the message will carry; None for any other markup.

    Raises:
        ApiError: 400, rows, buttons or callback data that Telegram refuses.
    """
    if markup is None or "inline_keyboard" not in markup:
        return None
    rows = markup["inline_keyboard"]
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad_request("can't parse reply keyboard markup JSON object")
    buttons = [button for row in rows for button in row]
    if len(buttons) > MAX_BUTTONS:
        raise bad_request("reply markup is too long")
    for button in buttons:
        _check_button(button)
    kept = [row for row in rows if row]
    return {"inline_keyboard": kept} if kept else None


def _check_button(button: Any) -> None:
    if not isinstance(button, dict) or not isinstance(button.get("text"), str):
        raise bad_request('can\'t parse inline keyboard button: expected an Object with "text"')
    if not button["text"].strip():
        raise bad_request("text buttons are unallowed in the inline keyboard")
    if not _ACTIONS.intersection(button):
        raise bad_request("text buttons are unallowed in the inline keyboard")
    data = button.get("callback_data")
    if data is not None:
        size = len(data.encode()) if isinstance(data, str) else 0
        if not 1 <= size <= MAX_DATA_BYTES:
            raise bad_request("BUTTON_DATA_INVALID")
