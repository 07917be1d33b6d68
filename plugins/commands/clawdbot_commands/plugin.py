"""The hooks: three look-ups, and the commands that look after the bot."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

from clawdcore import (
    Button,
    ChatUnavailable,
    Context,
    Edit,
    Message,
    Press,
    RegisterButton,
    RegisterCommand,
    Reply,
    Scope,
    Toast,
    UsageError,
    hookimpl,
)

from .care import held_text, status_text
from .fetching import Fetcher, NotThere, ServiceFailed
from .money import NotAsked, parse
from .options import Options
from .rates import Rates
from .texts import failed, words
from .weather import Weather
from .wiki import Wiki

T = TypeVar("T")


class Commands:
    """One for each bot. ``now`` gives the time of day, in UTC."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._fetcher: Fetcher | None = None

    @hookimpl
    def options_model(self) -> type[Options]:
        """What can be set."""
        return Options

    @hookimpl
    async def startup(self, context: Context) -> None:
        """Open the HTTP client."""
        self._client(context)

    @hookimpl
    async def shutdown(self) -> None:
        """Close it."""
        if self._fetcher is not None:
            await self._fetcher.close()

    def _client(self, context: Context) -> Fetcher:
        if self._fetcher is None:
            options: Options = context.options
            self._fetcher = Fetcher(
                seconds=options.timeout_seconds,
                most=options.max_bytes,
                entries=options.cache_entries,
                clock=context.clock,
            )
        return self._fetcher

    @hookimpl
    def privacy_notes(self, language: str) -> str:
        """Which services get what."""
        _ = words(language)
        return _(
            "What you write after /weather goes to Open-Meteo, currencies of /fx to Frankfurter, "
            "and what you write after /wiki to Wikipedia; nothing else about you does."
        )

    @hookimpl
    def register_commands(self, register: RegisterCommand, context: Context) -> None:
        """All of them."""
        self._lookups(register, context)
        self._about(register, context)
        self._owners(register, context)

    def _lookups(self, register: RegisterCommand, context: Context) -> None:
        @register("weather", example="/weather Berlin", tool=True)
        async def weather(message: Message, city: str) -> str:
            """The weather in a city, now and for three days"""
            language = message.sender.language
            service = Weather(self._client(context), context.options)
            return await _asked("Open-Meteo", service.of(city[:100], language), language)

        @register("fx", example="/fx 100 usd to cny", tool=True)
        async def fx(message: Message, question: str) -> str:
            """Exchange rates: an amount, a currency, other currencies, and maybe a date"""
            language = message.sender.language
            _ = words(language)
            try:
                asked = parse(question, self._now().date())
            except NotAsked as error:
                if error.nearest:
                    text = _("I don't know that currency. Do you mean {code}?")
                    raise UsageError(text.format(code=error.nearest)) from None
                if error.word:
                    raise UsageError(_("There is a word that I don't understand.")) from None
                raise UsageError(_("Name one currency, then up to ten others.")) from None
            service = Rates(self._client(context), context.options.rates_url)
            return await _asked("Frankfurter", service.of(asked, language), language)

        @register("wiki", example="/wiki Ada Lovelace", tool=True)
        async def wiki(message: Message, query: str) -> Reply | str:
            """What Wikipedia says about something"""
            language = message.sender.language
            service = Wiki(self._client(context), context.options.wiki_url)
            return await _asked("Wikipedia", service.about(query[:200], language), language)

    def _about(self, register: RegisterCommand, context: Context) -> None:
        control = context.control

        @register("about")
        async def about(message: Message) -> str:
            """What this bot is"""
            _ = words(message.sender.language)
            return _(
                "I am a ClawdBot, an assistant of free software. /help lists what I can do, "
                "/privacy says what becomes of your messages."
            )

        @register("privacy")
        async def privacy(message: Message) -> str:
            """What is kept, and what leaves this machine"""
            language = message.sender.language
            _ = words(language)
            kept = _("Your messages are kept in memory only, as long as they are needed.")
            notes = await control.privacy(language)
            inside = _("Nothing that you write leaves this machine.")
            body = held_text(_("What leaves this machine:"), notes, inside)
            return f"{kept}\n{body}\n{_('/forget erases what is held of you.')}"

        @register("status", control=True)
        async def status(message: Message) -> str:
            """How the bot does"""
            return status_text(control.status(), message.sender.language)

        @register("stop", control=True)
        async def stop(message: Message) -> str:
            """Stop what I am doing for you"""
            _ = words(message.sender.language)
            if await control.stop(message):
                return _("Stopped.")
            return _("I am doing nothing for you right now.")

        @register("forget")
        async def forget(message: Message) -> Reply | str:
            """Erase what is held of you, or as an admin of this group"""
            _ = words(message.sender.language)
            user = str(message.sender.id)
            rows = [(Button(_("Forget me"), "forget", f"user:{user}"),)]
            if message.chat.kind != "private":
                rows.append((Button(_("Forget this chat (admins)"), "forget", f"chat:{user}"),))
            rows.append((Button(_("Cancel"), "forget", f"no:{user}"),))
            return Reply(text=_("Erase it? This can't be undone."), buttons=tuple(rows))

    def _owners(self, register: RegisterCommand, context: Context) -> None:
        control = context.control

        async def only_owner(
            message: Message, act: Callable[[], Awaitable[None]], done: str
        ) -> str:
            _ = words(message.sender.language)
            if not control.owner(message.sender.id):
                return _("Only the owner of this bot can do that.")
            await act()
            return done

        @register("pause", control=True)
        async def pause(message: Message) -> str:
            """Rest (for the owner)"""
            _ = words(message.sender.language)
            done = _("I am resting. /resume wakes me.")
            return await only_owner(message, control.pause, done)

        @register("resume", control=True)
        async def resume(message: Message) -> str:
            """Work again (for the owner)"""
            _ = words(message.sender.language)
            return await only_owner(message, control.resume, _("I am working again."))

        @register("drain", control=True)
        async def drain(message: Message) -> str:
            """Finish what is under way, then end (for the owner)"""
            _ = words(message.sender.language)
            done = _("I finish what is under way, then end.")
            return await only_owner(message, control.drain, done)

    @hookimpl
    def register_buttons(self, register: RegisterButton, context: Context) -> None:
        """An article of several, and whether to forget."""

        @register("article")
        async def article(press: Press) -> Reply | Toast | str:
            service = Wiki(self._client(context), context.options.wiki_url)
            try:
                chosen = service.chosen(press.data, press.language)
                return await _asked("Wikipedia", chosen, press.language)
            except NotThere:
                return Toast(words(press.language)("That article is gone."))

        @register("forget")
        async def forget(press: Press) -> Edit | Toast:
            _ = words(press.language)
            kind, _sep, asker = press.data.partition(":")
            if asker != str(press.sender.id):
                return Toast(_("Only who asked can answer this."))
            if kind == "no":
                return Edit(_("Nothing was erased."))
            scope = Scope(kind="user", id=press.sender.id)
            if kind == "chat":
                try:
                    rights = await context.chats.member(press.chat.id, press.sender.id)
                except ChatUnavailable:
                    return Toast(_("Telegram doesn't tell me who is an admin here right now."))
                if not rights.admin:
                    return Toast(_("Only admins of this group can do that."))
                scope = Scope(kind="chat", id=press.chat.id)
            elif kind != "user":
                return Toast(_("Nothing was erased."))
            held = await context.control.forget(scope)
            return Edit(held_text(_("Erased:"), held, _("I held nothing.")))


async def _asked(service: str, answer: Awaitable[T], language: str) -> T | str:
    """``answer``, or one sentence about what is wrong with ``service``."""
    try:
        return await answer
    except ServiceFailed as error:
        return failed(service, error.trouble, language)
