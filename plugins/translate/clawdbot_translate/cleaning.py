"""Takes off what small models put around a translation: labels, quotes, notes."""

from __future__ import annotations

import re
from typing import Final

from .languages import find

HEAD_BYTES: Final = 96
"""UTF-8 bytes in which a label or a preamble ends; nothing is shown before them."""

LABELS: Final = frozenset(
    {
        *("translation", "the translation", "translated text", "translated"),
        *("output", "answer", "result"),
        *("traduction", "traducción", "tradução", "traduzione", "übersetzung", "перевод"),
        *("译文", "譯文", "翻译", "翻譯", "訳", "翻訳", "번역"),
    }
)
"""What stands before a colon at an answer's beginning, besides names of languages."""

LABEL: Final = re.compile(r"([^:：\n]{1,40})[:：][*_]*[ \t]*(?=\S)")

NOTE: Final = re.compile(
    r"\s*[(\[（【*_]*(?:(?:please )?note that\b|(?:notes?|explanation|literally|translator's note"
    r"|注意|注释|注|说明|解释|备注|直译|拼音|pinyin|remarque|hinweis|anmerkung|nota|примечание)"
    r"[*_]*\s?[:：])",
    re.IGNORECASE,
)
"""How a note about the translation begins: on a line of its own, or in brackets."""

BRACKETS: Final = "([（【"

QUOTES: Final = {
    '"': '"',
    "'": "'",
    "“": "”",
    "‘": "’",
    "«": "»",
    "„": "“”",
    "「": "」",
    "『": "』",
    "`": "`",
}
"""Opening marks, and what closes each."""

FENCE: Final = re.compile(r"^```.*\n?", re.MULTILINE)


def clean(answer: str, source: str) -> str:
    """The translation alone.

    A label, a preamble, quotes around everything, a code fence, a note at the
    end, and lines beyond the source's number are taken off, unless the source
    has the like itself. "" when there is only a preamble.
    """
    text = answer if "```" in source else FENCE.sub("", answer)
    text = _without_label(_without_preamble(text.strip(), source), source)
    text = "\n".join(_lines(text, source)).strip()
    bracket = _last_bracket(text, source)
    if bracket is not None and NOTE.match(text, bracket):
        text = text[:bracket].rstrip()
    return _unquoted(text, source)


def settled(answer: str, source: str) -> str:
    """The beginning of :func:`clean`'s result that no continuation of ``answer`` changes."""
    text = _without_preamble(answer.lstrip(), source)
    head, newline, _ = text.partition("\n")
    if "```" in answer or not (newline or len(head.encode()) > HEAD_BYTES):
        return ""
    if _is_preamble(answer.lstrip().partition("\n")[0], source) and _count(source) > 1:
        return ""  # what it is shows in the number of lines
    text = _without_label(text, source)
    if not text or (text[0] in QUOTES and not _quoted(source)):
        return ""
    lines = _lines(text, source)
    whole = lines if text.endswith("\n") or len(lines) <= 1 else lines[:-1]
    shown = "\n".join(whole)
    bracket = _last_bracket(shown, source)
    return (shown if bracket is None else shown[:bracket]).rstrip()


def _is_preamble(line: str, source: str) -> bool:
    own = source.strip().partition("\n")[0].rstrip()
    return (
        line.rstrip().endswith((":", "："))
        and not own.endswith((":", "："))
        and len(line.encode()) <= HEAD_BYTES
    )


def _without_preamble(text: str, source: str) -> str:
    """It without first lines like ``Here is the translation:``, one too many for the source."""
    head, _, rest = text.partition("\n")
    while _is_preamble(head, source) and (_count(source) == 1 or _count(text) > _count(source)):
        text = rest.lstrip()
        head, _, rest = text.partition("\n")
    return text


def _without_label(text: str, source: str) -> str:
    """It without a first ``Translation:`` or ``French:``."""
    label = LABEL.match(text)
    if label is None or LABEL.match(source.lstrip()):
        return text
    name = label[1].strip(" *_").casefold()
    return text[label.end() :] if name in LABELS or find(name) is not None else text


def _count(text: str) -> int:
    """How many lines are not empty."""
    return sum(1 for line in text.splitlines() if line.strip())


def _lines(text: str, source: str) -> list[str]:
    """Its lines up to a note, and no more of them than the source has."""
    room = _count(source)
    kept: list[str] = []
    for line in text.splitlines():
        if line.strip():
            if not room or (kept and NOTE.match(line)):
                break
            room -= 1
        kept.append(line.rstrip())
    return kept


def _last_bracket(text: str, source: str) -> int | None:
    """Where the last bracket opens, when the source has none."""
    if any(bracket in source for bracket in BRACKETS):
        return None
    found = max(text.rfind(bracket) for bracket in BRACKETS)
    return None if found < 0 else found


def _quoted(text: str) -> bool:
    return text.lstrip()[:1] in QUOTES


def _unquoted(text: str, source: str) -> str:
    closing = QUOTES.get(text[:1])
    if closing is None or _quoted(source) or len(text) == 1:
        return text
    inner = text[1:-1]
    if text[-1] not in closing or any(mark in inner for mark in closing):
        return text
    return inner.strip()
