"""The estimate against what Qwen2.5's tokenizer counted for the same texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdbot_chat.tokens import TURN, estimate, of_turn

COUNTED = {
    "I was thinking about the trip next month. Do you know whether the museum in Lisbon is open on "
    "Mondays, and how long it usually takes to get there from the airport by metro? We'd be four "
    "people, two of them children.": 48,
    "我下个月想去里斯本旅行，请问博物馆星期一开门吗？从机场坐地铁过去一般需要多长时间？我们一共四个人，"
    "其中两个是孩子。另外，附近有没有便宜又好吃的餐馆可以推荐？谢谢你！": 49,
    "我下個月想去里斯本旅行，請問博物館星期一開門嗎？從機場搭捷運過去一般需要多久？": 30,
    "来月リスボンに旅行に行こうと思っています。月曜日に博物館は開いていますか？空港から地下鉄でどのくらい"
    "かかりますか？": 36,
    "다음 달에 리스본으로 여행을 가려고 합니다. 박물관은 월요일에 문을 여나요? "
    "공항에서 지하철로 얼마나 걸리나요?": 45,
    "Я собираюсь поехать в Лиссабон в следующем месяце. Открыт ли музей по понедельникам и сколько "
    "времени занимает дорога из аэропорта на метро?": 48,
    "أفكر في السفر إلى لشبونة الشهر المقبل. هل المتحف مفتوح يوم الاثنين؟ "
    "وكم من الوقت يستغرق الوصول من المطار بالمترو؟": 37,
    "मैं अगले महीने लिस्बन जाने की सोच रहा हूँ। क्या संग्रहालय सोमवार को खुला रहता है? "
    "हवाई अड्डे से मेट्रो से कितना समय लगता है?": 111,
    "Σκέφτομαι να πάω στη Λισαβόνα τον επόμενο μήνα. Είναι ανοιχτό το μουσείο τη Δευτέρα;": 70,
    "3.14159265358979323846264338327950288419716939937510": 52,
    "😀🎉🚀👍🏽❤️🔥🇨🇳👨‍👩‍👧‍👦🤖🦊": 22,
    "a" * 500: 63,
    "hahahahahahahaha" * 20: 159,
}


@pytest.mark.parametrize(("text", "counted"), COUNTED.items())
def test_the_estimate_is_rather_too_high_than_too_low(text: str, counted: int) -> None:
    assert estimate(text) >= counted


@pytest.mark.parametrize(("text", "counted"), list(COUNTED.items())[:5])
def test_the_estimate_of_english_and_cjk_is_at_most_three_quarters_too_high(
    text: str, counted: int
) -> None:
    assert estimate(text) <= 1.75 * counted


@given(st.text())
def test_every_word_counts_and_none_for_more_than_its_bytes(text: str) -> None:
    tokens = estimate(text)
    assert tokens <= 2 * len(text.encode())
    assert (tokens > 0) >= bool(text.strip(" "))
    assert of_turn(text) == TURN + tokens


@given(st.text(), st.text())
def test_a_longer_text_never_has_less(text: str, more: str) -> None:
    assert estimate(f"{text}\n{more}") >= max(estimate(text), estimate(more))
