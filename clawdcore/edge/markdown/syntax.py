"""What of Markdown we read: CommonMark, less what loses text, and what chat models write.

Not read are HTML, character references, link definitions, indented code and
underlined headings: shown as written they are at worst ugly, read wrongly they
lose words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, blockquote, list_block
from markdown_it.rules_inline import StateInline, link
from markdown_it.rules_inline.state_inline import Delimiter
from markdown_it.token import Token

DEPTH: Final = 12
"""Tokens that lists and quotes may nest, two a list; what is deeper is text."""
MATH_LIMIT: Final = 2000
"""The longest formula, in characters: a ``$`` looks no further for its end."""
MATH_LINES: Final = 50
"""The same for a formula on lines of its own."""

_LINK: Final = re.compile(
    r"https?://(?:[^/?#@]*@)?(?:[\w%-]+\.)+[\w%-]+(?::\d+)?(?:[/?#]|$)|tg://\w|mailto:[^@]+@[^@]+$",
    re.IGNORECASE,
)
"""Links that Telegram opens; it refuses a host without a dot."""
_URL: Final = re.compile(r"://[^\s<>*`~\[\]()|\\\"]*(?:[^\W_]|/)")
_CJK: Final = re.compile(
    "[\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef"
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff“”‘’…—]"
)
_MATH: Final = (("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)"))

BlockRule = Callable[[StateBlock, int, int, bool], bool]


def tokens(source: str) -> list[Token]:
    r"""The tokens of ``source``, whose lines end with ``\n``."""
    return _PARSER.parse(source)


def _parser() -> MarkdownIt:
    # The option is beyond what DEPTH allows: at its own limit the library drops text.
    made = MarkdownIt("commonmark", {"maxNesting": 4 * DEPTH, "html": False})
    made.enable(["table", "strikethrough"])
    made.disable(["normalize", "code", "html_block", "lheading", "reference"])
    made.disable(["html_inline", "entity"])
    block, inline = made.block.ruler, made.inline.ruler
    above = ["paragraph", "reference", "blockquote"]
    block.at("blockquote", _not_too_deep(blockquote), {"alt": [*above, "list"]})
    block.at("list", _not_too_deep(list_block), {"alt": above})
    block.before("fence", "math_block", _math_block, {"alt": [*above, "list"]})
    inline.at("newline", _newline)
    inline.at("emphasis", _emphasis)
    inline.at("image", _image)
    inline.before("escape", "math", _math)
    inline.after("text", "url", _url)
    made.validateLink = _opens  # type: ignore[method-assign]
    return made


def _opens(url: str) -> bool:
    return _LINK.match(url) is not None


def _not_too_deep(rule: BlockRule) -> BlockRule:
    def guarded(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        return state.level < DEPTH and rule(state, start, end, silent)

    return guarded


def _newline(state: StateInline, silent: bool) -> bool:
    """A line's end, with the spaces around it."""
    if state.src[state.pos] != "\n":
        return False
    if not silent:
        state.push("softbreak", "br", 0)
    state.pos += 1
    return True


def _emphasis(state: StateInline, silent: bool) -> bool:
    """Asterisks and underscores, as CommonMark has them but for two things.

    Chinese and Japanese have no spaces around words, so that ``**“好”**吗`` is
    bold there though CommonMark wants a space. And ``2*3*4`` is no emphasis.
    """
    marker = state.src[state.pos]
    if silent or marker not in "*_":
        return False
    scanned = state.scanDelims(state.pos, marker == "*")
    opens, closes = scanned.can_open, scanned.can_close
    if marker == "*":
        end = state.pos + scanned.length
        before = state.src[state.pos - 1] if state.pos else " "
        after = state.src[end] if end < state.posMax else " "
        if _CJK.match(before) or _CJK.match(after):
            opens = opens or not after.isspace()
            closes = closes or not before.isspace()
        elif scanned.length == 1 and before.isalnum() and after.isalnum():
            opens = closes = False
    for _ in range(scanned.length):
        state.push("text", "", 0).content = marker
        state.delimiters.append(
            Delimiter(
                marker=ord(marker),
                length=scanned.length,
                token=len(state.tokens) - 1,
                end=-1,
                open=opens,
                close=closes,
            )
        )
    state.pos += scanned.length
    return True


def _image(state: StateInline, silent: bool) -> bool:
    """An image is a link with a ``!``."""
    if not state.src.startswith("![", state.pos):
        return False
    state.pos += 1
    if link(state, silent):
        return True
    state.pos -= 1
    return False


def _math(state: StateInline, silent: bool) -> bool:
    r"""``$…$``, ``$$…$$``, ``\(…\)`` and ``\[…\]``: no markup is looked for in them."""
    end = _end_of_math(state.src, state.pos, min(state.posMax, state.pos + MATH_LIMIT))
    if not end:
        return False
    if not silent:
        state.pending += state.src[state.pos : end]
    state.pos = end
    return True


def _end_of_math(source: str, start: int, limit: int) -> int:
    """Where the formula that begins at ``start`` ends; 0 when none does."""
    for opening, closing in _MATH:
        if source.startswith(opening, start):
            found = source.find(closing, start + 2, limit)
            return found + 2 if found > start + 2 else 0
    if source[start] != "$":
        return 0
    found = source.find("$", start + 1, limit)
    inside = source[start + 1 : found]
    if found < 0 or not inside or inside[0].isspace() or inside[-1].isspace():
        return 0
    # "from $5 to **$6**" is about money
    price = source[found + 1 : found + 2].isdigit() or "**" in inside or "\n" in inside
    return 0 if price or "`" in inside else found + 1


def _math_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A formula on lines of its own, in which a line may begin with a minus."""
    first = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]].rstrip()
    closing = next((closing for opening, closing in _MATH[:2] if first == opening), "")
    if not closing:
        return False
    for line in range(start + 1, min(end, start + MATH_LINES)):
        if state.sCount[line] < state.blkIndent:
            return False
        content = state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]
        if content.rstrip() == closing:
            if not silent:
                token = state.push("math_block", "", 0)
                token.content = state.getLines(start, line + 1, state.blkIndent, False)
                token.map = [start, line + 1]
                state.line = line + 1
            return True
    return False


def _url(state: StateInline, silent: bool) -> bool:
    """A bare url, which Telegram finds by itself: its underscores are no markup."""
    if not state.src.startswith("://", state.pos):
        return False
    if not state.src[max(0, state.pos - 5) : state.pos].lower().endswith(("http", "https")):
        return False
    found = _URL.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        state.pending += found.group()
    state.pos = found.end()
    return True


_PARSER: Final = _parser()
