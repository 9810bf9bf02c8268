"""A form begun in one channel goes on in another: same fields, same question, nothing twice, nothing lost."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bot.book import Book
from bot.engine.codes import concerns_codes
from core.codes import digest_code, show_code
from core.conversation import Conversation
from core.deployment import ChannelInfo
from core.effects import Call, Forward, Note
from core.events import CallDone, Message, MoveAsked, Opened
from core.messages import Attachment
from tests.bot.engine.play import DEPLOYMENT, Play, build

CODE = "7KMPXQ2WT5"
FORM = """
flow: Заявка
triggers: [{exact: [заявка]}]
fields:
  город: {label: Город, ask: Ваш город?}
  товар: {label: Товар, type: choice, ask: Что случилось?, options: [Брак, Не подошло]}
  фото: {label: Фото, type: photo, ask: Пришлите фото.}
steps:
  - ask: [город, товар, фото]
  - request: shop.get_order
    with: {number: "1", phone: "2"}
    save: заказ
    missing: [{end: нет}]
    failed: [{end: сбой}]
  - say: "{{ город }}, {{ товар }}, статус {{ заказ.номер }}"
  - end: собрана
"""
OTHER = """
flow: Вопрос
triggers: [{exact: [вопрос]}]
fields:
  вопрос: {label: Вопрос, ask: Что спросить?}
steps:
  - ask: вопрос
  - say: Записал
  - end: записан
"""
OFFER = """
flow: Перейти
triggers: [{exact: [перейти]}]
steps:
  - continue: Откройте другой мессенджер.
  - end: предложено
"""
MENU = """
flow: Меню
triggers: [{event: first_message}, {command: /start}]
steps:
  - choose: Чем помочь?
    options:
      - button: Заявка
        then: [{call: form}]
  - end: показано
"""
CHANNELS = {
    "telegram": ChannelInfo("telegram", "support", title="Telegram"),
    "vk": ChannelInfo("vk", "support", 40, title="VK"),
}


@pytest.fixture(scope="module")
def book() -> Book:
    deployment = msgspec.structs.replace(DEPLOYMENT, channels=CHANNELS)
    return build(deployment, form=FORM, other=OTHER, offer=OFFER, menu=MENU)


class Pair:
    """One client in two channels."""

    def __init__(self, book: Book) -> None:
        self.card: dict[str, Any] = {}
        self.one, self.two = Play(book), Play(book)
        for play, id, channel in ((self.one, 1, "telegram"), (self.two, 2, "vk")):
            play.client = self.card
            play.conversation = Conversation(id, channel, "a", f"c{id}", 1, channel)

    def move(self, source: Play | None = None, back: bool = False) -> list[str]:
        """The code was right: the other conversation is asked for its run. What is said where the client is now."""
        away = source or self.one
        here = self.two if away is self.one else self.one
        away.happen(MoveAsked(here.conversation.id, here.conversation.channel, back))
        return self.forward(away)

    def forward(self, away: Play) -> list[str]:
        """What one conversation sends into the other."""
        here = self.two if away is self.one else self.one
        said: list[str] = []
        for effect in [it for it in away.effects if isinstance(it, Forward)]:
            assert effect.conversation == here.conversation.id
            said += here.happen(effect.event)
        return said


@pytest.fixture
def pair(book: Book) -> Pair:
    return Pair(book)


def photo(file: str, album: str = "") -> dict[str, Any]:
    return {"attachments": (Attachment("photo", file, mime="image/jpeg"),), "album": album}


# --- asking for a code -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["/continue", "продолжить в другом"])
def test_a_code_is_asked_for_in_the_middle_of_a_form(book: Book, text: str) -> None:
    words = {**book.words, "продолжить в другом": "continue"}
    play = Play(msgspec_replace(book, words))
    play.say("заявка")
    assert play.say(text, command=text if text.startswith("/") else "") == []
    (call,) = play.calls
    assert (call.service, call.call, call.params) == ("identity", "offer", {"conversation": 1})
    said = play.happen(CallDone(call.key, "ok", {"code": CODE, "links": [["vk", "https://vk.me/club1?ref=x"]]}))
    assert show_code(CODE) in said[0]
    assert play.labels == ["Продолжить в VK"]
    assert play.sent[0].rows[0][0].url == "https://vk.me/club1?ref=x"
    assert play.say("Тверь") == ["Что случилось?"]


def msgspec_replace(book: Book, words: dict[str, str]) -> Book:
    from dataclasses import replace

    return replace(book, words=words)


def test_a_flow_offers_a_code(pair: Pair) -> None:
    assert pair.one.say("перейти") == ["Откройте другой мессенджер."]
    assert [call.call for call in pair.one.calls] == ["offer"]
    assert pair.one.outcomes == [("offer", "предложено")]


def test_a_code_that_could_not_be_made_is_told(pair: Pair) -> None:
    pair.one.say("/continue", command="/continue")
    (call,) = pair.one.calls
    assert "не получилось" in pair.one.happen(CallDone(call.key, "failed"))[0]


# --- a code comes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [CODE, "7kmpx-q2wt5", " 7KMPX Q2WT5 ", "7КМРХ-Q2WТ5"])
def test_a_code_is_tried_and_no_flow_sees_it(pair: Pair, text: str) -> None:
    assert pair.two.say(text) == []
    (call,) = pair.two.calls
    assert (call.call, call.params) == ("use", {"conversation": 2, "digest": digest_code(CODE)})
    assert CODE not in repr(pair.two.effects)


def test_a_link_brings_a_code(pair: Pair) -> None:
    assert pair.two.happen(Opened(f"go-{CODE}")) == []
    assert [call.call for call in pair.two.calls] == ["use"]


@pytest.mark.parametrize("text", ["7KMPXQ2WT4", "7KMPXQ2WT", "9161234567", "BACKGROUND", "заказ 7KMPXQ2WT5", ""])
def test_what_is_no_code_goes_to_the_flows(pair: Pair, text: str) -> None:
    pair.two.say(text)
    assert pair.two.calls == []


def test_an_answer_that_looks_like_a_code_is_an_answer(book: Book) -> None:
    deployment = msgspec.structs.replace(DEPLOYMENT, channels=CHANNELS)
    serial = """
flow: Серия
triggers: [{exact: [серия]}]
fields:
  серия: {label: Серия, pattern: '[0-9A-Z]{10}', ask: Серийный номер?}
steps:
  - ask: серия
  - say: "Записал {{ серия }}"
  - end: записана
"""
    play = Play(build(deployment, serial=serial))
    play.say("серия")
    assert play.say(CODE) == [f"Записал {CODE}"]
    assert play.calls == []


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("unknown", "Такого кода нет"),
        ("used", "уже использован"),
        ("expired", "старше десяти минут"),
        ("same", "для другого мессенджера"),
        ("too_many", "Слишком много"),
        ("", "не получилось"),
    ],
)
def test_a_refused_code_is_told_and_the_question_asked_again(pair: Pair, why: str, words: str) -> None:
    pair.two.say("заявка")
    pair.two.say(CODE)
    (call,) = pair.two.calls
    said = pair.two.happen(CallDone(call.key, "missing", {"why": why}) if why else CallDone(call.key, "failed"))
    assert words in said[0]
    assert said[1:] == ["Ваш город?"]


def test_who_is_new_gets_the_menu_after_a_refused_code(pair: Pair) -> None:
    pair.two.happen(Opened(f"go-{CODE}"))
    (call,) = pair.two.calls
    said = pair.two.happen(CallDone(call.key, "missing", {"why": "expired"}))
    assert "старше десяти минут" in said[0]
    assert said[1:] == ["Чем помочь?"]


# --- the run moves ---------------------------------------------------------------------------------------------------


def test_the_form_goes_on_with_its_fields(pair: Pair) -> None:
    pair.one.say("заявка")
    pair.one.say("Тверь")
    said = pair.move()
    assert said == ["Продолжаем здесь: «Заявка»", "Что случилось?"]
    assert pair.two.labels == ["Брак", "Не подошло"]
    assert "Продолжаем в VK" in pair.one.texts[0]
    assert pair.one.conversation.talk.run is None
    assert pair.two.press("Брак") == ["Пришлите фото."]
    pair.two.say("", **photo("f1"))
    assert pair.two.done("ok", номер="7", дней_с_доставки=1, статус="") == ["Тверь, Брак, статус 7"]


def test_the_old_conversation_is_idle(pair: Pair) -> None:
    pair.one.say("заявка")
    pair.one.say("Тверь")
    assert "silence" in pair.one.timers
    pair.move()
    assert "silence" not in pair.one.timers
    assert "silence" in pair.two.timers
    assert pair.one.press("Брак")[0].startswith("Эта кнопка устарела")
    assert pair.one.say("вопрос") == ["Что спросить?"]


def test_a_silence_timer_of_the_new_place_is_of_the_moved_run(pair: Pair) -> None:
    pair.one.say("заявка")
    pair.move()
    assert pair.two.fire("silence") == ["Вы ещё здесь? Ваш город?"]


def test_back_works_over_the_move(pair: Pair) -> None:
    pair.one.say("заявка")
    pair.one.say("Тверь")
    pair.move()
    assert pair.two.say("назад") == ["Ваш город?"]
    assert pair.two.say("Псков") == ["Что случилось?"]


def test_a_run_of_its_own_is_put_aside(pair: Pair) -> None:
    pair.one.say("заявка")
    pair.two.say("вопрос")
    assert pair.move() == ["Продолжаем здесь: «Заявка»", "Ваш город?"]
    pair.two.say("Тверь")
    pair.two.press("Брак")
    pair.two.say("", **photo("f1"))
    said = pair.two.done("missing")
    assert said == ["Вернёмся: «Вопрос»", "Что спросить?"]
    assert pair.two.say("Когда откроетесь?") == ["Записал"]


def test_a_menu_of_its_own_gives_way(pair: Pair) -> None:
    pair.one.say("заявка")
    pair.two.say("/start", command="/start")
    pair.move()
    assert pair.two.conversation.talk.suspended is None


def test_a_digression_moves_with_its_form(pair: Pair) -> None:
    pair.one.say("заявка")
    pair.one.say("Тверь")
    pair.one.say("вопрос")
    pair.one.press("Да")
    assert pair.move() == ["Продолжаем здесь: «Вопрос»", "Что спросить?"]
    assert pair.two.say("Где вы?") == ["Записал", "Вернёмся: «Заявка»", "Что случилось?"]


def test_a_digression_ends_where_there_is_no_room(pair: Pair) -> None:
    pair.one.say("заявка")
    pair.one.say("Тверь")
    pair.one.say("вопрос")
    pair.one.press("Да")
    pair.two.say("вопрос")
    assert pair.move() == ["Продолжаем здесь: «Заявка»", "Что случилось?"]
    assert pair.two.conversation.talk.suspended is not None


def test_two_digressions_make_room_too(pair: Pair) -> None:
    pair.one.say("заявка")
    pair.two.say("заявка")
    pair.two.say("Псков")
    pair.two.say("вопрос")
    pair.two.press("Да")
    assert pair.move()[-1] == "Ваш город?"
    run, suspended = pair.two.conversation.talk.run, pair.two.conversation.talk.suspended
    assert run is not None
    assert suspended is not None
    assert [it.frames[0].flow for it in (run, suspended)] == ["form", "form"]
    assert suspended.frames[0].values["город"] == "Псков"


def test_nothing_under_way_is_said(pair: Pair) -> None:
    pair.one.say("/start", command="/start")
    pair.two.happen(Opened(f"go-{CODE}"))
    said = pair.move()
    assert "узнаю вас и здесь" in said[0]
    assert said[1:] == ["Чем помочь?"]
    assert "и в VK" in pair.one.texts[0]
    assert pair.one.press("Заявка") == ["Ваш город?"]


def test_an_album_under_way_is_the_answer_before_the_move(pair: Pair) -> None:
    pair.one.say("заявка")
    pair.one.say("Тверь")
    pair.one.press("Брак")
    assert pair.one.say("", **photo("f1", "a")) == []
    assert pair.one.say("", **photo("f2", "a")) == []
    pair.move()
    assert "pieces" not in pair.one.timers
    run = pair.two.conversation.talk.run
    assert run is not None
    assert run.frames[0].values["фото"] == ["f1", "f2"]


def test_the_result_of_a_call_follows_its_run(pair: Pair) -> None:
    pair.one.say("заявка")
    pair.one.say("Тверь")
    pair.one.press("Брак")
    pair.one.say("", **photo("f1"))
    (call,) = pair.one.calls
    pair.one.say("ау")
    assert pair.move() == ["Продолжаем здесь: «Заявка»"]
    pair.one.happen(CallDone(call.key, "ok", {"номер": "7", "дней_с_доставки": 1, "статус": ""}))
    assert pair.forward(pair.one)[0] == "Тверь, Брак, статус 7"
    assert pair.two.outcomes[0] == ("form", "собрана")
    pair.one.happen(CallDone(call.key, "ok", {}))
    assert pair.forward(pair.one) == []


def test_a_result_follows_through_two_moves(pair: Pair) -> None:
    pair.one.say("заявка")
    pair.one.say("Тверь")
    pair.one.press("Брак")
    pair.one.say("", **photo("f1"))
    (call,) = pair.one.calls
    pair.move()
    pair.move(pair.two)
    assert pair.one.conversation.talk.run is not None
    said = pair.one.happen(CallDone(call.key, "missing"))
    assert said == []
    assert pair.one.outcomes[-1] == ("form", "нет")


def test_numbers_of_runs_are_not_shared(pair: Pair) -> None:
    """Buttons and tickets are told apart by the number of the run."""
    pair.one.say("заявка")
    pair.two.say("вопрос")
    pair.two.say("отмена")
    pair.move()
    run = pair.two.conversation.talk.run
    assert run is not None
    assert run.number == 2


def test_a_run_whose_version_is_gone_begins_anew(pair: Pair) -> None:
    pair.one.say("заявка")
    pair.one.say("Тверь")
    run = pair.one.conversation.talk.run
    assert run is not None
    run.frames[0].version = "gone"
    said = pair.move()
    assert said[1:] == ["Мы обновили сценарий, уточню ещё раз.", "Что случилось?"]


# --- people ----------------------------------------------------------------------------------------------------------


def with_people(play: Play) -> None:
    session = msgspec.structs.replace(play.conversation.session, owner="operator", line="support", epoch=3)
    play.conversation = msgspec.structs.replace(play.conversation, session=session)


def test_a_session_of_people_is_not_moved(pair: Pair) -> None:
    pair.one.say("заявка")
    with_people(pair.one)
    said = pair.move()
    assert "отвечают в Telegram" in said[0]
    assert pair.one.conversation.talk.run is not None
    assert [note.text for note in pair.one.effects if isinstance(note, Note)]
    assert "Люди отвечают здесь" in pair.one.texts[0]


def test_people_see_the_form_that_comes_to_them(pair: Pair) -> None:
    pair.one.say("заявка")
    pair.one.say("Тверь")
    with_people(pair.two)
    assert pair.move() == []
    (note,) = [it for it in pair.two.effects if isinstance(it, Note)]
    assert "Город: Тверь" in note.text
    bot = msgspec.structs.replace(pair.two.conversation.session, owner="bot", line="")
    pair.two.conversation = msgspec.structs.replace(pair.two.conversation, session=bot)
    assert pair.two.answer("returned") == ["Вернёмся: «Заявка»", "Что случилось?"]


def test_codes_work_while_people_own_the_session(pair: Pair) -> None:
    with_people(pair.one)
    pair.one.say("/continue", command="/continue")
    (call,) = pair.one.calls
    assert show_code(CODE) in pair.one.happen(CallDone(call.key, "ok", {"code": CODE, "links": []}))[0]
    with_people(pair.two)
    pair.two.say(CODE)
    (used,) = pair.two.calls
    assert "Такого кода нет" in pair.two.happen(CallDone(used.key, "missing", {"why": "unknown"}))[0]


def test_what_concerns_codes_is_the_bots(book: Book) -> None:
    assert concerns_codes(book, Message(CODE))
    assert concerns_codes(book, Message("/continue", command="/continue"))
    assert concerns_codes(book, Opened(f"go-{CODE}"))
    assert not concerns_codes(book, Message("добрый день"))


# --- taken back ------------------------------------------------------------------------------------------------------


def test_a_run_goes_back_to_where_it_came_from(pair: Pair) -> None:
    pair.one.say("заявка")
    pair.move()
    pair.two.say("Тверь")
    assert pair.move(pair.two, back=True) == ["Продолжаем здесь: «Заявка»", "Что случилось?"]
    assert pair.two.conversation.talk.run is None
    assert "снова идёт в Telegram" in pair.two.texts[0]


def test_a_run_of_its_own_does_not_go_back(pair: Pair) -> None:
    pair.two.say("вопрос")
    assert pair.move(pair.two, back=True) == []
    assert pair.two.effects == []
    assert pair.two.conversation.talk.run is not None


# --- phones ----------------------------------------------------------------------------------------------------------


def test_a_proved_phone_is_looked_up_once(book: Book) -> None:
    from core.messages import Contact

    ask = """
flow: Телефон
triggers: [{exact: [телефон]}]
fields:
  телефон: {label: Телефон, type: phone, ask: Телефон?, keep: client.phone}
steps:
  - ask: телефон
  - end: есть
"""
    deployment = msgspec.structs.replace(DEPLOYMENT, channels=CHANNELS)
    play = Play(build(deployment, phone=ask))
    for expected in (1, 0):
        play.say("телефон")
        play.say("", contact=Contact("+79991234567", own=True))
        calls = [effect for effect in play.effects if isinstance(effect, Call)]
        assert [(it.key, it.call, it.params) for it in calls] == [("", "match", {"phone": "+79991234567"})] * expected


def test_a_typed_phone_is_not_looked_up(book: Book) -> None:
    ask = """
flow: Телефон
triggers: [{exact: [телефон]}]
fields:
  телефон: {label: Телефон, type: phone, ask: Телефон?, keep: client.phone}
steps:
  - ask: телефон
  - end: есть
"""
    play = Play(build(DEPLOYMENT, phone=ask))
    play.say("телефон")
    play.say("+7 999 123-45-67")
    assert play.client["phone"] == "+79991234567"
    assert play.calls == []
