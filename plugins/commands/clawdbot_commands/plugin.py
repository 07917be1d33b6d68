"""The hooks: three look-ups, and the commands that look after the bot."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit

from clawdcore import (
    Button,
    ChatUnavailable,
    Context,
    Edit,
    Message,
    Needs,
    Press,
    RegisterButton,
    RegisterCommand,
    Reply,
    Scope,
    Toast,
    hookimpl,
)

from .care import held_text, status_text
from .lookups import Lookups, register_articles, register_lookups
from .options import Options
from .places import Homes
from .texts import words


class Commands:
    """One for each bot. ``now`` gives the time of day, in UTC."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._made: Lookups | None = None

    @hookimpl
    def options_model(self) -> type[Options]:
        """What can be set."""
        return Options

    @hookimpl
    def needs(self, options: Options) -> Needs:
        """The services, and what people may set."""
        wiki = options.wiki_url.replace("{language}.", "*.")
        addresses = (options.geocoding_url, options.weather_url, options.rates_url, wiki)
        hosts = [urlsplit(each).hostname or "" for each in addresses]
        return Needs(hosts=tuple(dict.fromkeys(hosts)), keeps="each user's home city")

    def _lookups(self, context: Context) -> Lookups:
        """Those of a context, which each start of a bot makes anew."""
        if self._made is None or self._made.context is not context:
            self._made = Lookups(context, self._now)
        return self._made

    @hookimpl
    async def forget(self, scope: Scope, language: str, context: Context) -> str | None:
        """Erases a user's home; chats have none."""
        _ = words(language)
        if scope.kind == "user" and await Homes(context.storage).erase(scope.id):
            return _("your home for /weather")
        return None

    @hookimpl
    def privacy_notes(self, language: str) -> str:
        """Which services get what."""
        _ = words(language)
        return _(
            "What you write after /weather, and where your home is, goes to Open-Meteo, the "
            "currencies and the day of /fx to Frankfurter, what you write after /wiki to "
            "Wikipedia; with it goes your language, and nothing else about you."
        )

    @hookimpl
    def register_commands(self, register: RegisterCommand, context: Context) -> None:
        """All of them."""
        register_lookups(register, self._lookups(context))
        self._about(register, context)
        self._owners(register, context)

    def _about(self, register: RegisterCommand, context: Context) -> None:
        control = context.control

        @register("about", example="/about")
        async def about(message: Message) -> str:
            """What this bot is"""
            _ = words(message.sender.language)
            return _(
                "I am a ClawdBot, an assistant of free software. /help lists what I can do, "
                "/privacy says what becomes of your messages."
            )

        @register("privacy", example="/privacy")
        async def privacy(message: Message) -> str:
            """What is kept, and what leaves this machine"""
            language = message.sender.language
            _ = words(language)
            kept = _(
                "Your messages are kept in memory only, as long as they are needed; what you set, "
                "such as your home for /weather, is kept on a disk until you change it or /forget."
            )
            notes = await control.privacy(language)
            inside = _("Nothing that you write leaves this machine.")
            body = held_text(_("What leaves this machine:"), notes, inside)
            return f"{kept}\n{body}\n{_('/forget erases what is held of you.')}"

        @register("status", example="/status", control=True)
        async def status(message: Message) -> str:
            """How the bot does"""
            owner = control.owner(message.sender.id)
            return status_text(control.status(), message.sender.language, owner=owner)

        @register("stop", example="/stop", control=True)
        async def stop(message: Message) -> str:
            """Stop what I am doing for you"""
            _ = words(message.sender.language)
            if await control.stop(message):
                return _("Stopped.")
            return _("I am doing nothing for you right now.")

        @register("forget", example="/forget")
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

        @register("pause", example="/pause", control=True)
        async def pause(message: Message) -> str:
            """Rest (for the owner)"""
            _ = words(message.sender.language)
            done = _("I am resting. /resume wakes me.")
            return await only_owner(message, control.pause, done)

        @register("resume", example="/resume", control=True)
        async def resume(message: Message) -> str:
            """Work again (for the owner)"""
            _ = words(message.sender.language)
            return await only_owner(message, control.resume, _("I am working again."))

        @register("drain", example="/drain", control=True)
        async def drain(message: Message) -> str:
            """Finish what is under way, then end (for the owner)"""
            _ = words(message.sender.language)
            done = _("I finish what is under way, then end.")
            return await only_owner(message, control.drain, done)

    @hookimpl
    def register_buttons(self, register: RegisterButton, context: Context) -> None:
        """An article of several, and whether to forget."""
        register_articles(register, self._lookups(context))

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
