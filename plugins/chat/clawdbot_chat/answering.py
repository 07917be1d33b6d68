"""The story of an answer: open the session, make room, ask, stream, remember.

In a private chat a session only changes between two questions: its messages are
handled one after the other (``serial``), and everything that is asked lasts until what
was shown of the answer is remembered. In a group several people's questions may be
under way: each sees what was answered when it was asked, its exchange goes behind
those that were done earlier, and while one of them compacts the session the
others leave what is there as it is.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Final

from clawdcore import (
    BackendError,
    Chunk,
    Context,
    ContextOverflow,
    GenerationFailed,
    Message,
    ModelInfo,
    Request,
    RequestRefused,
    Tool,
    ToolCall,
    Turn,
)

from . import prompts
from .compaction import View, Window, drop_oldest, limit, scaled, view
from .options import ChatOptions
from .sessions import Exchange, Session
from .summaries import safeguard
from .tokens import of_turn
from .toolbox import ROUNDS, Toolbox

log = logging.getLogger(__name__)

UNKNOWN_CONTEXT: Final = 4096
"""Tokens of context while the primary model can't tell: a fallback will answer then."""
Keep = Callable[[], None]
CUT: Final = "…"
"""Ends an answer that reached its most tokens."""
BETWEEN: Final = "\n\n"
"""Between what the model wrote before it called a tool, and after."""


class Question:
    """One message on its way to an answer; sizes are estimated tokens.

    ``said`` is what was shown of the answer. ``spare`` is None, or the tokens of
    history that the session is to be cut down to once there is an answer.
    """

    def __init__(
        self, message: Message, name: str, text: str, system: str, toolbox: Toolbox
    ) -> None:
        self.message = message
        self.toolbox = toolbox
        self.name = name
        self.turn = Turn("user", text)
        self.system = Turn("system", system)
        self.fixed = of_turn(system)
        self.tokens = of_turn(text)
        self.said: list[str] = []
        self.spare: int | None = None


class Answerer:
    """Answers messages within their sessions."""

    def __init__(self, context: Context, options: ChatOptions) -> None:
        self._context = context
        self._options = options
        self._compacting: set[int] = set()

    async def answer(
        self, session: Session, message: Message, text: str, quoted: str, keep: Keep
    ) -> AsyncGenerator[str, None]:
        """The answer as it grows.

        ``text`` is all of the message, ``quoted`` all of what it replies to or "";
        ``keep`` is called when the session got its exchange.
        What was shown is remembered, also of an answer that broke off, since the
        user has seen it; of an answer that never began, or was empty, nothing is.

        Raises:
            clawdcore.BackendError: no model could answer, or it broke off.
        """
        session.language = message.sender.language or session.language
        info = await self._info()
        question = self._question(session, message, text, quoted, self._toolbox(info, message))
        try:
            async with aclosing(self._pieces(session, question, info)) as pieces:
                async for piece in pieces:
                    question.said.append(piece)
                    yield piece
        finally:
            if self._remember(session, question):
                keep()

    def _toolbox(self, info: ModelInfo | None, message: Message) -> Toolbox:
        """The tools that this message's answer may use."""
        tools = self._context.tools
        wanted = self._options.tools and info is not None and info.tools
        return Toolbox(tools, tools.all() if wanted else (), message)

    def _question(
        self, session: Session, message: Message, text: str, quoted: str, toolbox: Toolbox
    ) -> Question:
        group = message.chat.kind != "private"
        name = prompts.label(message.sender, session.exchanges) if group else ""
        before = message.reply_to
        if session.exchanges and quoted.strip() in session.exchanges[-1].answer:
            quoted = ""  # the model has just said it
        asked = prompts.question(
            text,
            name=name,
            quoted=quoted,
            quoted_name=prompts.label(before.sender) if before is not None else "",
            unseen=prompts.unseen(message.attachments) if text == message.body.strip() else (),
        )
        own = self._options.system_prompt
        system = prompts.system(own, group=group, tools=bool(toolbox.offered))
        return Question(message, name, asked, system, toolbox)

    async def _pieces(
        self, session: Session, question: Question, info: ModelInfo | None
    ) -> AsyncGenerator[str, None]:
        """Ask with as much of the session as fits; once more with half of it if need be."""
        window = self._window(info).within(session.ceiling)
        question.fixed += question.toolbox.reserve(window.prompt)
        await self._make_room(session, window, question)
        own = question.fixed + scaled(question.tokens, max(1.0, session.ratio))
        sent = view(session, window.prompt - own)
        try:
            async with aclosing(self._generated(session, window, question, sent)) as pieces:
                async for piece in pieces:
                    yield piece
        except ContextOverflow:
            again = not (question.said or question.toolbox.called)
            if not again or not sent.tokens(session.ratio):
                raise
        else:
            return
        refused = own + sent.tokens(session.ratio)
        sent = view(session, sent.tokens(session.ratio) // 2)
        fits = own + sent.tokens(session.ratio)
        async with aclosing(self._generated(session, window, question, sent)) as pieces:
            async for piece in pieces:
                # Only now it is known that it was the history that made it too long.
                session.ceiling = max(fits, 3 * refused // 4)
                yield piece

    async def _info(self) -> ModelInfo | None:
        """What the primary model is; None while it can't tell."""
        try:
            return await self._context.models.info()
        except BackendError:
            return None

    def _window(self, info: ModelInfo | None) -> Window:
        context = output = UNKNOWN_CONTEXT
        if info is not None:
            context, output = info.context_length, info.max_output_tokens
        options = self._options
        return Window.of(
            context, output=output, answer=options.max_tokens, history=options.history_tokens
        )

    async def _make_room(self, session: Session, window: Window, question: Question) -> None:
        """Compact a session that has outgrown its limit, as ``compaction.mode`` says."""
        most = limit(window, fixed=question.fixed, new=question.tokens)
        if scaled(session.tokens, session.ratio) <= most or id(session) in self._compacting:
            return
        seconds = self._options.summary_seconds
        if self._context.compaction == "default" or not seconds:
            question.spare = most
            return

        async def ask(turns: Sequence[Turn], tokens: int) -> str:
            request = self._request(turns, tokens, temperature=0.0)
            return await self._context.models.complete(request)

        self._compacting.add(id(session))
        try:
            async with asyncio.timeout(seconds):
                await safeguard(session, most, room=window.prompt, ask=ask)
        except (BackendError, TimeoutError) as error:
            log.warning("a conversation was cut, not summed up: %s", type(error).__name__)
            question.spare = most // 2
        finally:
            self._compacting.discard(id(session))

    def _remember(self, session: Session, question: Question) -> bool:
        """Add the exchange as far as it was shown, if any of it was."""
        answer = prompts.plain("".join(question.said)).strip()
        if not answer:
            return False
        if question.spare is not None and id(session) not in self._compacting:
            drop_oldest(session, question.spare)
        session.exchanges.append(
            Exchange.of(question.message.sender.id, question.name, question.turn.content, answer)
        )
        return True

    def _request(
        self,
        turns: Sequence[Turn],
        tokens: int,
        temperature: float | None,
        tools: tuple[Tool, ...] = (),
        choice: str = "",
    ) -> Request:
        return Request(
            turns=tuple(turns),
            max_tokens=tokens,
            temperature=temperature,
            tools=tools,
            tool_choice=choice,
            elastic=True,
        )

    async def _generated(
        self, session: Session, window: Window, question: Question, sent: View
    ) -> AsyncGenerator[str, None]:
        """What the model writes, and what it writes after the tools that it called."""
        turns = [question.system, *sent.turns(), question.turn]
        toolbox = question.toolbox
        rounds = 0
        while True:
            # The last round has no calls any more, but what was called must be described.
            choice = "none" if toolbox.offered and rounds == ROUNDS else ""
            request = self._request(
                turns, window.answer, self._options.temperature, toolbox.offered, choice
            )
            said: list[str] = []
            calls: list[ToolCall] = []
            try:
                async with aclosing(self._asked(session, request, calls)) as pieces:
                    async for piece in pieces:
                        if not said and question.said and not piece.isspace():
                            yield BETWEEN
                        said.append(piece)
                        yield piece
            except RequestRefused:
                if not toolbox.offered or toolbox.called or said:
                    raise
                toolbox.offered = ()  # a fallback answers, which takes none
                continue
            if not calls or choice:
                return
            rounds += 1
            turns += await toolbox.answer(calls, "".join(said), window.prompt)

    async def _asked(
        self, session: Session, request: Request, calls: list[ToolCall]
    ) -> AsyncGenerator[str, None]:
        """One request; what the model counted goes into the session's ratio."""
        last = Chunk()
        begun = False
        async with _closing(self._context.models.generate(request)) as chunks:
            async for chunk in chunks:
                if chunk.text:
                    begun = begun or not chunk.text.isspace()
                    yield chunk.text
                calls += chunk.calls
                if chunk.finish is not None or chunk.usage is not None:
                    last = chunk
        if last.usage is not None and not request.tools:  # what tools take is no estimate of ours
            estimated = sum(of_turn(turn.content) for turn in request.turns)
            session.measured(estimated, last.usage.prompt_tokens)
        if last.finish == "length" and begun:
            yield CUT
        elif last.finish == "abort":
            raise GenerationFailed("the model stopped before its answer was complete.")


@asynccontextmanager
async def _closing(chunks: AsyncIterator[Chunk]) -> AsyncIterator[AsyncIterator[Chunk]]:
    """Stop the model's work when nobody reads on: an unfinished generator is closed."""
    try:
        yield chunks
    finally:
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()
