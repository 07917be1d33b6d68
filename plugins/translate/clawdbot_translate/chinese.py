"""Whether a Chinese text is written in simplified or in traditional characters. Pure."""

from __future__ import annotations

from typing import Final

SIMPLIFIED: Final = frozenset(
    "们这来说时对过会为国样发经学没还动开关见长门问车东书电话语让请谢认识吗给几岁听买卖钱饭点边"
    "头觉爱欢乐应该总业务气热单双从众办总体处备复听写读谁难离网络视频图机场"
)
TRADITIONAL: Final = frozenset(
    "們這來說時對過會為國樣發經學沒還動開關見長門問車東書電話語讓請謝認識嗎給幾歲聽買賣錢飯點邊"
    "頭覺愛歡樂應該總業務氣熱單雙從眾辦總體處備複聽寫讀誰難離網絡視頻圖機場"
)
"""Everyday characters that are written in one of the two ways only, in the same order."""


def variety(text: str) -> str:
    """``"zh"``, ``"zh-Hant"``, or "" when the text's characters are the same in both."""
    simple = sum(c in SIMPLIFIED - TRADITIONAL for c in text)
    full = sum(c in TRADITIONAL - SIMPLIFIED for c in text)
    if simple == full:
        return ""
    return "zh" if simple > full else "zh-Hant"
