"""Who may use the bot, and where it must be spoken to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clawdcore.access import Access, Policy
from clawdcore.config import parse
from clawdcore.messages import Chat, Message, Sender


def policy(**telegram: Any) -> Policy:
    return Policy(parse(json.dumps({"channels": {"telegram": telegram}}), env={}).channels.telegram)


def private(user: int = 7, username: str = "ada") -> Message:
    sender = Sender(user, "Ada", username)
    return Message(id=1, update_id=1, chat=Chat(user, "private"), sender=sender, body="x")


def group(*, addressed: bool, chat: int = -5, user: int = 7) -> Message:
    sender = Sender(user, "Ada", "ada")
    return Message(
        id=1, update_id=1, chat=Chat(chat, "group"), sender=sender, body="x", addressed=addressed
    )


def test_open_to_everybody_without_configuration() -> None:
    assert policy().decide(private()) is Access.ALLOWED


@pytest.mark.parametrize("entry", [7, "@ada", "@Ada", "*"])
def test_allowlist_lets_those_on_it_in(entry: int | str) -> None:
    rules = policy(dmPolicy="allowlist", allowFrom=[entry])
    assert rules.decide(private()) is Access.ALLOWED


def test_allowlist_keeps_strangers_out_but_not_the_owner() -> None:
    rules = policy(dmPolicy="allowlist", allowFrom=[8])
    assert rules.decide(private()) is Access.STRANGER
    assert rules.decide(private(username="")) is Access.STRANGER
    assert rules.decide(private(), owner=7) is Access.ALLOWED


def test_disabled_is_for_the_owner_alone() -> None:
    rules = policy(dmPolicy="disabled")
    assert rules.decide(private()) is Access.REFUSED
    assert rules.decide(private(), owner=7) is Access.ALLOWED


def test_groups_need_a_mention_by_default() -> None:
    rules = policy()
    assert rules.decide(group(addressed=False)) is Access.OVERHEARD
    assert rules.decide(group(addressed=True)) is Access.ALLOWED


def test_require_mention_can_be_off_for_one_group() -> None:
    rules = policy(groups={"-5": {"requireMention": False}, "*": {}})
    assert rules.decide(group(addressed=False)) is Access.ALLOWED
    assert rules.decide(group(addressed=False, chat=-6)) is Access.OVERHEARD


def test_named_groups_close_the_others() -> None:
    rules = policy(groups={"-5": {}})
    assert rules.decide(group(addressed=True)) is Access.ALLOWED
    assert rules.decide(group(addressed=True, chat=-6)) is Access.REFUSED


def test_a_group_can_be_switched_off_or_kept_to_some() -> None:
    assert policy(groups={"-5": {"enabled": False}}).decide(group(addressed=True)) is Access.REFUSED
    rules = policy(groups={"*": {"allowFrom": [7]}})
    assert rules.decide(group(addressed=True)) is Access.ALLOWED
    assert rules.decide(group(addressed=True, user=8)) is Access.REFUSED
