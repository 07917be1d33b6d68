from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from clawdcore import BackendUnavailable, Overloaded, Priority
from clawdcore.testing import Group, User

# The fixtures are in conftest.py; with --import-mode=importlib it can't be imported from here.
Bot = Any
MakeBot = Callable[..., Any]

CHINESE = User(102, "Wei", language="zh-hans")
GERMAN = User(103, "Uwe", language="de")
LONG = (
    "Die Besprechung beginnt um neun und dauert bis zum Mittag, danach essen wir alle zusammen "
    "im Garten und gehen an den See."
)


def test_the_answer_is_the_translation_alone(bot: Bot) -> None:
    bot.model.enqueue('German: "Guten Morgen!"')
    assert bot.say("/translate german Good morning!") == "Guten Morgen!"
    assert "German" in bot.prompts()[0] and "Good morning!" in bot.prompts()[0]
    assert bot.sent[-1].reply_to == 1


def test_tr_is_the_same_command(bot: Bot) -> None:
    bot.model.enqueue("早上好！")
    assert bot.say("/tr zh Good morning!") == "早上好！"


def test_without_a_language_it_is_the_senders(bot: Bot) -> None:
    bot.model.enqueue("Wir sehen uns am Bahnhof.")
    assert bot.say("/translate See you at the station.", sender=GERMAN).startswith("Wir")
    assert "into German" in bot.prompts()[0]


def test_what_is_in_the_senders_language_goes_into_english(bot: Bot) -> None:
    bot.model.enqueue("See you at the station.")
    bot.say("/translate Wir sehen uns am Bahnhof.", sender=GERMAN)
    assert "into English" in bot.prompts()[0]


def test_english_of_an_english_reader_goes_into_chinese(bot: Bot) -> None:
    bot.model.enqueue("车站见。")
    bot.say("/translate See you at the station.")
    assert "into Simplified Chinese" in bot.prompts()[0]


def test_an_echo_shows_that_the_text_was_in_the_senders_language(bot: Bot) -> None:
    bot.model.enqueue("Bahnhof", "station")
    assert bot.say("/translate Bahnhof", sender=GERMAN) == "station"
    assert "into German" in bot.prompts()[0]
    assert bot.prompts()[1].endswith("English:")


def test_a_reply_translates_the_quoted_message(bot: Bot) -> None:
    bot.model.enqueue("Wo ist der Bahnhof?", "Où est la gare ?")
    assert bot.reply("/translate de", {"text": "Where is the station?"}) == "Wo ist der Bahnhof?"
    french = User(104, language="fr")
    assert bot.reply("/translate", {"text": "Where is the station?"}, sender=french)
    assert all("Where is the station?" in prompt for prompt in bot.prompts())
    assert "into French" in bot.prompts()[1]


def test_a_reply_takes_a_word_for_a_language_when_it_stands_alone(bot: Bot) -> None:
    bot.model.enqueue("Dov'è la stazione?")
    assert bot.reply("/translate it", {"text": "Where is the station?"}) == "Dov'è la stazione?"


def test_a_reply_with_a_text_translates_that_text(bot: Bot) -> None:
    bot.model.enqueue("Danke!")
    assert bot.reply("/translate de Thanks!", {"text": "Where is the station?"}) == "Danke!"
    assert "station" not in bot.prompts()[0].rpartition("Translate")[2]


def test_a_caption_is_text_too(bot: Bot) -> None:
    bot.model.enqueue("Unser Garten")
    photo = [{"file_id": "f", "file_unique_id": "u", "width": 9, "height": 9}]
    assert bot.reply("/translate de", {"photo": photo, "caption": "Our garden"}) == "Unser Garten"


def test_a_quoted_message_without_text_is_told(bot: Bot) -> None:
    photo = [{"file_id": "f", "file_unique_id": "u", "width": 9, "height": 9}]
    answer = bot.reply("/translate de", {"photo": photo})
    assert answer.startswith("I find no text in the message that you reply to.")
    assert bot.prompts() == []


@pytest.mark.parametrize("words", ["/translate", "/translate de", "/translate simplified chinese"])
def test_no_text_at_all_shows_how_to_ask(bot: Bot, words: str) -> None:
    assert bot.say(words).splitlines() == [
        "Write the text after the command, or reply with it to a message.",
        "Usage: /translate [language] [text…]",
        "Example: /translate french Good morning!",
    ]
    assert "在命令后面写上" in bot.say(words, sender=CHINESE)
    assert bot.prompts() == []


def test_a_code_that_is_a_word_is_translated_with_the_text(bot: Bot) -> None:
    bot.model.enqueue("已经很晚了")
    assert bot.say("/translate it is late") == "已经很晚了"
    assert "it is late" in bot.prompts()[0]


@pytest.mark.parametrize("text", ["12:30", "👍👍", "https://example.org/x", "@ada #news"])
def test_what_holds_no_words_comes_back_without_a_model(bot: Bot, text: str) -> None:
    assert bot.say(f"/translate fr {text}") == text
    assert bot.prompts() == []


@pytest.mark.parametrize("text", ["OK", "Ada Lovelace", "NASA"])
def test_a_name_that_stays_is_tried_twice_and_no_more(bot: Bot, text: str) -> None:
    bot.model.enqueue(text, text)
    assert bot.say(f"/translate ja {text}") == text
    assert len(bot.prompts()) == 2


def test_an_echo_is_asked_again_in_another_way(bot: Bot) -> None:
    bot.model.enqueue("the last bus leaves at eleven", "最終バスは11時に出ます。")
    assert bot.say("/translate ja The last bus leaves at eleven.") == "最終バスは11時に出ます。"
    first, second = bot.model.requests
    assert first.turns != second.turns
    assert first.temperature == 0 and second.temperature > 0
    assert {text for _, text in bot.telegram.drafts} <= {"最終バスは11時に出ます。"}


@pytest.mark.parametrize(
    "answers",
    [
        ("The last bus leaves at eleven.", "The last bus leaves at eleven."),
        ("I am sorry, I can't translate.", "The last bus leaves at 11."),
        ("", "Translation:"),
        ("The last bus leaves at eleven.", ""),
    ],
)
def test_two_failures_are_told_and_not_shown(bot: Bot, answers: tuple[str, str]) -> None:
    bot.model.enqueue(*answers)
    told = (
        "I tried twice and could not translate this into Japanese. "
        "Please say it differently, or ask for another language."
    )
    assert bot.say("/translate ja The last bus leaves at eleven.") == told
    assert len(bot.prompts()) == 2
    assert {text for _, text in bot.telegram.drafts} <= {told}
    assert bot.buttons == []


def test_the_failure_is_told_in_the_readers_language(bot: Bot) -> None:
    bot.model.enqueue("Are we there yet?", "Are we there yet?")
    answer = bot.say("/translate 日语 Are we there yet?", sender=CHINESE)
    assert answer == "我试了两次，还是没能翻译成日语。请换个说法，或换一种语言。"


def test_a_long_answer_streams_once_it_is_no_echo(bot: Bot) -> None:
    bot.model.delay = 0.3
    bot.model.enqueue(LONG)
    source = "The meeting starts at nine and lasts until noon. Then we eat and walk to the lake."
    assert bot.say(f"/translate de {source}") == LONG
    drafts = [text for _, text in bot.telegram.drafts]
    assert drafts
    assert all(LONG.startswith(draft) and len(draft) > 80 for draft in drafts)


def test_an_echo_is_never_seen_in_a_draft(bot: Bot) -> None:
    source = LONG.replace("Besprechung", "Feier")
    bot.model.delay = 0.3
    bot.model.enqueue(source, "The party starts at nine and lasts until noon.")
    assert bot.say(f"/translate en {source}") == "The party starts at nine and lasts until noon."
    assert all("Feier" not in text for _, text in bot.telegram.drafts)


def test_an_answer_without_end_is_tried_again(bot: Bot) -> None:
    bot.model.finish = "length"
    bot.model.enqueue("na na na na", "na na na")
    assert bot.say("/translate de Good morning to all of you").startswith("I tried twice")


def test_an_answer_cut_off_after_it_was_seen_says_so(bot: Bot) -> None:
    bot.model.finish = "length"
    bot.model.enqueue(LONG)
    answer = bot.say("/translate de The meeting starts at nine and lasts until noon.")
    assert answer == f"{LONG}…\n\n[The translation breaks off here.]"


def test_an_answer_is_bounded_by_the_texts_length(bot: Bot) -> None:
    bot.model.enqueue("eins", "zwei")
    bot.say("/translate de one")
    bot.say("/translate de " + "word " * 200)
    short, long = (request.max_tokens for request in bot.model.requests[:2])
    assert 16 <= short < 64 < long < 2000


def test_too_long_a_text_is_refused_with_the_bound(make_bot: MakeBot) -> None:
    bot = make_bot(maxCharacters=20)
    assert bot.say("/translate de " + "x" * 21) == (
        "That is too long: 21 characters, and I translate at most 20 at once. "
        "Please send it in smaller parts."
    )
    assert "最多" in bot.say("/translate de " + "x" * 21, sender=CHINESE)
    assert bot.prompts() == []
    bot.model.enqueue("y")
    assert bot.say("/translate de " + "x" * 20) == "y"


def test_private_messages_and_mentions_go_before_other_group_messages(bot: Bot) -> None:
    bot.model.enqueue("eins", "zwei", "drei")
    bot.say("/translate de one")
    bot.say("/translate de two", chat=Group())
    bot.say("/translate@clawd_bot de three", chat=Group())
    requests = bot.model.requests
    assert [r.priority for r in requests] == [Priority.DIRECT, Priority.GROUP, Priority.DIRECT]
    assert [r.key for r in requests] == ["101", "-1001", "-1001"]
    assert all(r.deadline is not None for r in requests)  # the core's, as we set none


def test_a_busy_model_is_told_by_the_core(bot: Bot) -> None:
    bot.model.enqueue(Overloaded("full.", retry_after=7), BackendUnavailable("down."))
    assert "about 7 s" in bot.say("/translate de one")
    assert "isn't answering" in bot.say("/translate de one")
    assert bot.books.summary()


def test_a_model_of_its_own_can_be_named(make_bot: MakeBot) -> None:
    bot = make_bot(model="llamacpp/other")
    bot.model.enqueue("eins")
    bot.say("/translate de one")
    assert bot.model.requests[0].model == "other"


def test_what_is_in_the_wanted_language_is_not_translated(bot: Bot) -> None:
    assert bot.say("/translate de Wir sehen uns morgen am Bahnhof, ja?") == (
        "This is in German already."
    )
    assert bot.say("/translate zh-TW 我們這週去看電影", sender=CHINESE) == "这已经是繁体中文了。"
    assert bot.prompts() == []
    bot.model.enqueue("我們這週去看電影")
    assert bot.say("/translate zh-TW 我们这周去看电影") == "我們這週去看電影"


def test_a_long_text_is_translated_in_parts_and_keeps_its_layout(bot: Bot) -> None:
    paragraph = "The meeting starts at nine and lasts until noon. " * 16
    text = f"{paragraph.strip()}\n\nAnd then: {paragraph.strip()}"
    bot.model.enqueue("Erster Teil der Besprechung.", "Zweiter Teil.")
    assert bot.say(f"/translate de {text}") == "Erster Teil der Besprechung.\n\nZweiter Teil."
    assert len(bot.prompts()) == 2


def test_code_and_links_come_through(bot: Bot) -> None:
    bot.model.enqueue("Führe das hier aus:", "Und dann siehe https://example.org/a")
    text = "Run this here:\n```\nrm -r x\n```\nAnd then see https://example.org/a"
    assert bot.say(f"/translate de {text}") == (
        "Führe das hier aus:\n```\nrm -r x\n```\nUnd dann siehe https://example.org/a"
    )
    assert not any("rm -r" in prompt for prompt in bot.prompts())


def test_a_link_that_the_model_loses_is_asked_for_again_and_else_put_at_the_end(bot: Bot) -> None:
    text = "/translate de Look at https://example.org/a please"
    bot.model.enqueue("Schau dir das bitte an", "Schau dir https://example.org/a bitte an")
    assert bot.say(text) == "Schau dir https://example.org/a bitte an"
    bot.model.enqueue("Schau dir das bitte an", "Sieh das bitte an")
    assert bot.say(f"{text}!") == "Schau dir das bitte an https://example.org/a"


def test_languages_asked_for_by_many_names_reach_the_prompt(bot: Bot) -> None:
    for words, name in [
        ("法语", "French"),
        ("繁體中文", "Traditional Chinese"),
        ("pt-BR", "Brazilian Portuguese"),
        ("suomi", "Finnish"),
    ]:
        before = len(bot.prompts())
        bot.say(f"/translate {words} hello there, my friend")
        assert f"into {name}" in bot.prompts()[before]
