"""The section ``channels``: Telegram, the first of them."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from .values import (
    BotApiRoot,
    ChatId,
    Host,
    LocalPath,
    Peer,
    Port,
    Secret,
    Section,
    Url,
    WebhookSecret,
)

PUBLIC_API: Final = "https://api.telegram.org"
TEXT_LIMIT: Final = 4096
"""UTF-16 units of a message, https://core.telegram.org/bots/api#sendmessage."""

Peers = Annotated[tuple[Peer, ...], Field(strict=False)]


class GroupConfig(Section):
    """How the bot behaves in a group."""

    require_mention: bool = Field(
        default=True,
        description="Answer only when spoken to: a mention, a reply to the bot, or a command.",
    )
    enabled: bool = Field(default=True, description="Whether the bot answers in the group at all.")
    allow_from: Peers = Field(
        default=(),
        description='Who may use the bot there: ids, "@names" or "*". Without the key: everybody.',
        examples=[[12345, "@ada"]],
    )


class WebhookConfig(Section):
    """Updates that Telegram delivers, instead of polling for them."""

    url: Url | None = Field(
        default=None,
        description="The public https address that Telegram calls. Unset: the bot polls.",
        examples=["https://bot.example.org/telegram-webhook"],
    )
    secret: WebhookSecret | None = Field(
        default=None,
        description="Sent by Telegram with each update, so that nobody else can deliver any. "
        "Unset: one is made at each start.",
        examples=["${WEBHOOK_SECRET}"],
    )
    path: LocalPath = Field(
        default="/telegram-webhook", description="The path that the bot answers at on its own port."
    )
    host: Host = Field(
        default="127.0.0.1", description="The address that the bot listens on, behind your proxy."
    )
    port: Port = Field(default=8787, description="The port that the bot listens on.")


class PaceConfig(Section):
    """How fast the bot may write. The defaults are Telegram's limits; beyond, it answers 429."""

    per_second: float = Field(
        default=30.0, gt=0, le=100_000, description="Messages a second, to all chats together."
    )
    per_chat: float = Field(
        default=1.0, gt=0, le=100_000, description="Messages a second to one chat."
    )
    group_per_minute: float = Field(
        default=20.0, gt=0, le=6_000_000, description="Messages a minute to one group."
    )


class TelegramConfig(Section):
    """The bot's account, who may use it, and how it writes."""

    bot_token: Secret | None = Field(
        default=None,
        description="The token from @BotFather. Unset: the variable TELEGRAM_BOT_TOKEN.",
        examples=["${TELEGRAM_BOT_TOKEN}"],
    )
    api_root: BotApiRoot = Field(
        default=PUBLIC_API,
        repr=False,  # it may hold a password
        description="The Bot API server, for example one of your own.",
    )
    owner: int | None = Field(
        default=None,
        ge=1,
        description="Your user id: may always write, and is told of trouble.",
        examples=[12345],
    )
    dm_policy: Literal["open", "allowlist", "disabled"] = Field(
        default="open",
        description="Who may write in private: everybody, allowFrom and the owner, or the owner. "
        'Without the key, "allowlist" where allowFrom names people.',
    )
    allow_from: Peers = Field(
        default=(),
        description='Who may write in private under "allowlist": ids, "@names" or "*".',
        examples=[[12345, "@ada"]],
    )
    groups: dict[ChatId, GroupConfig] = Field(
        default={},
        description='Groups by chat id; "*" stands for all that are not named. Unset: every group, '
        'when mentioned. Where groups are named without "*", the others are closed.',
        examples=[{"*": {"requireMention": True}}],
    )
    webhook: WebhookConfig = WebhookConfig()
    text_chunk_limit: int = Field(
        default=TEXT_LIMIT,
        ge=256,
        le=TEXT_LIMIT,
        description="A longer answer is split into messages of at most this many UTF-16 units.",
    )
    media_max_mb: float = Field(
        default=20.0,
        gt=0,
        le=2000,
        description="Larger files are refused; the public Bot API gives out 20 megabytes at most.",
        examples=[20],
    )
    streaming: Literal["off", "partial"] = Field(
        default="partial",
        description='"partial" shows an answer while it grows: as a draft in private, by edits in '
        'groups; "off" sends it whole.',
    )
    pace: PaceConfig = PaceConfig()
    stale_after: int = Field(
        default=900_000,
        ge=0,
        le=86_400_000,
        description="Messages that are older when the bot gets them, in milliseconds, are not "
        "answered: their chat gets one notice. 0: they are answered, however old.",
    )
    poll_timeout: int = Field(
        default=30_000,
        ge=1000,
        le=50_000,
        description="How long one poll waits for updates, in milliseconds. Telegram allows 50 s.",
    )


class ChannelsConfig(Section):
    """Where people write."""

    telegram: TelegramConfig = TelegramConfig()
