"""Calls to the Bot API, over python-telegram-bot; the edge's only way out."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from telegram import Bot as PtbBot
from telegram import (
    BotCommand,
    ChatMemberAdministrator,
    ChatMemberOwner,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    MessageEntity,
    ReactionTypeEmoji,
    ReplyParameters,
    User,
)
from telegram import error as ptb
from telegram.request import HTTPXRequest

from ..broker import Bot, Target
from ..errors import ChannelUnreachable, FileUnavailable, TokenRefused
from ..hooks import callbacks
from ..hooks.chats import Member
from ..messages import Button, Keyboard
from .api import Reason, Rejected, Unreachable, Whose
from .markup import Entity
from .telegram_errors import call_error, words

ALLOWED_UPDATES: Final = ("message", "edited_message", "callback_query", "my_chat_member")
"""Kinds of updates that this version works on."""
FILE_LIMIT: Final = 20 * 1024 * 1024
"""Bytes that getFile hands out at most (core.telegram.org/bots/api#getfile)."""
POOL: Final = 32
TIMEOUT: Final = 10.0
"""Seconds for one call; a long poll adds its own."""
WHOSE: Final = {
    Reason.NOT_MODIFIED: Whose.OURS,
    Reason.NOT_ALLOWED: Whose.OTHER,
    Reason.NOT_FOUND: Whose.MISSING,
}


class TelegramApi:
    """:class:`Api` against a real Bot API server at ``root``."""

    def __init__(self, token: str, root: str) -> None:
        self._root = root.rstrip("/")
        self._token = token
        self._polling = HTTPXRequest(connection_pool_size=1, read_timeout=TIMEOUT)
        self._bot = PtbBot(
            token,
            base_url=f"{self._root}/bot",
            base_file_url=f"{self._root}/file/bot",
            request=HTTPXRequest(
                connection_pool_size=POOL,
                read_timeout=TIMEOUT,
                write_timeout=TIMEOUT,
                connect_timeout=TIMEOUT,
                pool_timeout=TIMEOUT,
            ),
            get_updates_request=self._polling,
        )

    async def open(self) -> Bot:
        """Connect and ask who we are.

        Raises:
            TokenRefused: the server doesn't know the token.
            ChannelUnreachable: it doesn't answer.
        """
        try:
            await self._bot.initialize()
        except ptb.InvalidToken:
            raise TokenRefused(
                f"{self._root} refused the bot token.",
                fix="Copy it again from @BotFather (/mybots → API Token).",
            ) from None
        except ptb.TelegramError as error:
            raise ChannelUnreachable(
                f"the Bot API at {self._root} can't be reached ({words(error)}).",
                fix="Check the network, a proxy, and channels.telegram.apiRoot.",
            ) from None
        me = self._bot.bot
        return Bot(me.id, me.username or "", bool(me.can_read_all_group_messages))

    async def close(self) -> None:
        """Close all connections."""
        await self._bot.shutdown()

    async def poll(self, offset: int, *, limit: int, timeout: int) -> bytes:
        """``getUpdates`` as it comes; ``timeout`` is the long poll's, in seconds.

        Raises:
            TokenRefused: Telegram, or what claims to be it, doesn't know the token.
            CallError: anything else; a 404 too, since :meth:`open` has found the bot.
        """
        query = urlencode(
            {
                "offset": offset,
                "limit": limit,
                "timeout": timeout,
                "allowed_updates": msgspec.json.encode(ALLOWED_UPDATES).decode(),
            }
        )
        url = f"{self._root}/bot{self._token}/getUpdates?{query}"
        try:
            body = await self._polling.retrieve(url, read_timeout=timeout + TIMEOUT)
        except ptb.InvalidToken as error:
            # A refusal of Telegram's own is JSON that says so; a 404 or a page is a proxy's.
            if error.__cause__ is not None or not str(error).startswith("Unauthorized"):
                raise Unreachable(words(error), sent=True) from None
            raise TokenRefused(
                f"{self._root} no longer accepts the bot token.",
                fix="It was revoked: copy the new one from @BotFather.",
            ) from None
        except ptb.TelegramError as error:
            raise call_error(error) from None
        return bytes(body)

    async def send(
        self,
        target: Target,
        text: str,
        entities: tuple[Entity, ...],
        *,
        preview: bool,
        buttons: Keyboard = (),
    ) -> int:
        """``sendMessage``; returns the message's id."""
        reply = ReplyParameters(target.reply_to, allow_sending_without_reply=True)
        try:
            message = await self._bot.send_message(
                target.chat_id,
                text,
                message_thread_id=target.topic,
                entities=_entities(entities),
                reply_parameters=reply if target.reply_to else None,
                reply_markup=_markup(buttons),
                link_preview_options=LinkPreviewOptions(is_disabled=not preview),
            )
        except ptb.TelegramError as error:
            raise call_error(error) from None
        return message.message_id

    async def draft(self, target: Target, draft_id: int, text: str) -> None:
        """``sendMessageDraft``: a preview of 30 s in a private chat."""
        try:
            await self._bot.send_message_draft(
                target.chat_id, draft_id, text, message_thread_id=target.topic
            )
        except ptb.TelegramError as error:
            raise call_error(error) from None

    async def edit(
        self,
        target: Target,
        message_id: int,
        text: str,
        entities: tuple[Entity, ...],
        *,
        preview: bool,
        buttons: Keyboard = (),
    ) -> None:
        """``editMessageText``; that it says so already raises :class:`Rejected` too.

        The message has ``buttons`` from then on, () for none.
        """
        try:
            await self._bot.edit_message_text(
                text,
                target.chat_id,
                message_id,
                entities=_entities(entities),
                link_preview_options=LinkPreviewOptions(is_disabled=not preview),
                reply_markup=_markup(buttons),
            )
        except ptb.TelegramError as error:
            raise call_error(error) from None

    async def edit_buttons(self, chat_id: int, message_id: int, buttons: Keyboard) -> None:
        """``editMessageReplyMarkup``; () takes the buttons away."""
        try:
            await self._bot.edit_message_reply_markup(
                chat_id, message_id, reply_markup=_markup(buttons)
            )
        except ptb.TelegramError as error:
            raise call_error(error) from None

    async def answer(self, query: str, text: str, *, alert: bool) -> None:
        """``answerCallbackQuery``: end the mark on a pressed button, and say ``text``, if any."""
        try:
            await self._bot.answer_callback_query(query, text or None, show_alert=alert)
        except ptb.TelegramError as error:
            raise call_error(error) from None

    async def delete(self, chat_id: int, message_id: int) -> None:
        """``deleteMessage``."""
        try:
            await self._bot.delete_message(chat_id, message_id)
        except ptb.TelegramError as error:
            raise call_error(error) from None

    async def member(self, chat_id: int, user_id: int) -> Member:
        """``getChatMember``: what somebody may do; the creator may do everything."""
        try:
            found = await self._bot.get_chat_member(chat_id, user_id)
        except ptb.TelegramError as error:
            raise call_error(error) from None
        if isinstance(found, ChatMemberAdministrator):
            return Member(admin=True, can_delete=found.can_delete_messages)
        owner = isinstance(found, ChatMemberOwner)
        return Member(admin=owner, can_delete=owner)

    async def typing(self, target: Target) -> None:
        """``sendChatAction``: "typing" for 5 s, or until a message comes."""
        try:
            await self._bot.send_chat_action(
                target.chat_id, "typing", message_thread_id=target.topic
            )
        except ptb.TelegramError as error:
            raise call_error(error) from None

    async def react(self, chat_id: int, message_id: int, emoji: str) -> None:
        """``setMessageReaction`` with one emoji; a refusal is NO_REACTIONS or NOT_FOUND."""
        try:
            await self._bot.set_message_reaction(
                chat_id, message_id, reaction=[ReactionTypeEmoji(emoji)]
            )
        except ptb.TelegramError as error:
            raise call_error(error) from None

    async def probe(self, chat_id: int, message_id: int, buttons: Keyboard = ()) -> Whose:
        """Whose message this is, by an ``editMessageReplyMarkup`` that changes nothing.

        To give a message of ours the ``buttons`` that it has is "not modified", and for
        somebody else's message "can't be edited". Where it has others, it loses them:
        after a crash of everything, when nobody knows which ones it had.
        """
        try:
            await self._bot.edit_message_reply_markup(
                chat_id, message_id, reply_markup=_markup(buttons)
            )
        except ptb.TelegramError as error:
            failure = call_error(error)
            if not isinstance(failure, Rejected):
                raise failure from None
            return WHOSE.get(failure.reason, Whose.UNKNOWN)
        return Whose.OURS

    async def set_commands(self, language: str, commands: tuple[tuple[str, str], ...]) -> None:
        """``setMyCommands`` for one language, "" for all others."""
        try:
            await self._bot.set_my_commands(
                [BotCommand(name, summary) for name, summary in commands],
                language_code=language or None,
            )
        except ptb.TelegramError as error:
            raise call_error(error) from None

    async def set_webhook(self, url: str, secret: str) -> None:
        """``setWebhook``; updates then come with ``secret`` in a header."""
        try:
            await self._bot.set_webhook(
                url, secret_token=secret, allowed_updates=list(ALLOWED_UPDATES), max_connections=40
            )
        except ptb.TelegramError as error:
            raise call_error(error) from None

    async def delete_webhook(self) -> None:
        """``deleteWebhook``; what waits there is kept for polling."""
        try:
            await self._bot.delete_webhook()
        except ptb.TelegramError as error:
            raise call_error(error) from None

    async def file(self, file_id: str) -> bytes:
        """A file's bytes. Raises :class:`FileUnavailable`."""
        try:
            file = await self._bot.get_file(file_id)
            if (file.file_size or 0) > FILE_LIMIT:
                raise FileUnavailable("the file is larger than 20 MB.")
            return bytes(await file.download_as_bytearray())
        except ptb.TelegramError as error:
            raise FileUnavailable(f"Telegram did not hand it out ({words(error)}).") from None


def _markup(buttons: Keyboard) -> InlineKeyboardMarkup | None:
    rows = [[_button(each) for each in row] for row in buttons]
    return InlineKeyboardMarkup(rows) if rows else None


def _button(button: Button) -> InlineKeyboardButton:
    if button.url:
        return InlineKeyboardButton(button.text, url=button.url)
    return InlineKeyboardButton(button.text, callback_data=callbacks.encode(button))


def _entities(entities: tuple[Entity, ...]) -> list[MessageEntity] | None:
    return [_entity(entity) for entity in entities] or None


def _entity(entity: Entity) -> MessageEntity:
    given: dict[str, Any] = msgspec.structs.asdict(entity)
    user: int | None = given.pop("user")
    # Of a user Telegram reads the id alone; the name is what python-telegram-bot wants.
    return MessageEntity(**given, user=None if user is None else User(user, "", is_bot=False))
