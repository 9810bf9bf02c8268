"""Fields as people see them and put them right: what is known, who wrote it, where the new value lands."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from bot.book import Book
from bot.engine.collected import Known, known_fields, known_texts
from core.effects import Hand, Record
from core.events import FieldGiven, LoanAsked, LoanOver
from core.turn import Facts
from tests.bot.engine.play import Play, build

NUMBER = """
flow: Номер
gives: [номер]
fields:
  номер: {label: Номер заказа, type: number, ask: Какой номер?}
steps:
  - ask: номер
  - end: есть
"""
FORM = """
flow: Возврат
triggers: [{exact: [возврат]}]
fields:
  причина: {label: Причина, ask: Почему?}
  сумма:
    label: Сумма
    type: number
    ask: Сколько?
    check: [{must: value < 1000, else: "Не больше {{ 1000 }}."}]
  когда: {label: Когда, type: date, ask: Когда?}
  телефон: {label: Телефон, type: phone, ask: Телефон?, private: true}
steps:
  - call: number
  - ask: [причина, сумма, когда, телефон]
  - say: "{{ причина }}, {{ сумма }}"
  - end: готово
"""
QUESTION = """
flow: Вопрос
triggers: [{exact: [вопрос]}]
fields:
  тема: {label: Тема, ask: О чём?}
  почта: {label: Ящик, type: email, ask: Почта?, keep: client.email}
steps:
  - ask: [тема, почта]
  - end: записан
"""


@pytest.fixture(scope="module")
def book() -> Book:
    return build(number=NUMBER, form=FORM, question=QUESTION)


@pytest.fixture
def play(book: Book) -> Play:
    play = Play(book)
    for text in ("возврат", "11", "сломан"):
        play.say(text)
    return play


def give(play: Play, label: str, text: str, by: str = "user:7") -> list[str]:
    return play.happen(FieldGiven(label, text, by))


def known(play: Play) -> dict[str, Known]:
    return {it.label: it for it in known_fields(play.book, play.conversation, play.now, Facts({}, {}))}


def read(play: Play) -> dict[str, tuple[str, str]]:
    return {label: (it.text, it.by) for label, it in known(play).items()}


def lend(play: Play, flow: str) -> None:
    """A person takes the session and lends the bot a flow."""
    session = msgspec.structs.replace(play.conversation.session, owner="operator", line="support", epoch=3)
    play.conversation = msgspec.structs.replace(play.conversation, session=session)
    play.happen(LoanAsked(flow, "user:7"))


# --- what is known ---------------------------------------------------------------------------------------------------


def test_nothing_is_known_of_a_new_client(book: Book) -> None:
    assert known(Play(book)) == {}


def test_fields_stand_in_the_order_of_the_questions(play: Play) -> None:
    assert list(read(play).items()) == [("Номер заказа", ("11", "bot")), ("Причина", ("сломан", "bot"))]
    assert [it.type for it in known(play).values()] == ["number", "text"]


def test_private_fields_are_marked(play: Play) -> None:
    give(play, "Телефон", "8 916 123-45-67")
    assert known(play)["Телефон"] == Known("Телефон", "+79161234567", "user:7", "phone", private=True)
    assert not known(play)["Причина"].private


def test_the_card_fills_what_the_talk_has_not_collected(play: Play) -> None:
    card = {"name": "Анна", "phone": "+79160000000", "email": "a@b.ru", "note": "важный"}
    found = known_texts(play.book, play.conversation, play.now, Facts(card, {}))
    assert found["Имя"] == "Анна"
    assert found["Телефон"] == "+79160000000"
    assert found["Ящик"] == "a@b.ru", "by the place where the field is kept, though no card calls it so"
    assert "важный" not in found.values()
    give(play, "Телефон", "+79161112233")
    assert known_texts(play.book, play.conversation, play.now, Facts(card, {}))["Телефон"] == "+79161112233"


def test_an_empty_card_fills_nothing(play: Play) -> None:
    found = known_texts(play.book, play.conversation, play.now, Facts({"name": "", "phone": None}, {}))
    assert found == {"Номер заказа": "11", "Причина": "сломан"}


def test_a_digression_and_what_it_put_aside_are_both_known(play: Play) -> None:
    play.say("вопрос")
    play.press("Да")
    play.say("Часы")
    assert read(play) == {
        "Номер заказа": ("11", "bot"),
        "Причина": ("сломан", "bot"),
        "Тема": ("Часы", "bot"),
    }


def test_a_field_that_no_flow_has_any_more_is_still_shown(play: Play) -> None:
    play.book = build(number=NUMBER)
    assert known(play)["Номер заказа"].type == "number"
    play.conversation.talk.memory["collected"] = {"Цвет": "красный"}
    assert known(play)["Цвет"] == Known("Цвет", "красный")


# --- putting right ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "typed", "text", "name", "value"),
    [
        ("Причина", "не подошёл", "не подошёл", "причина", "не подошёл"),
        ("Сумма", "999,5", "999,5", "сумма", 999.5),
        ("Когда", "завтра", "2025-03-06", "когда", "2025-03-06"),
        ("Телефон", "8 (916) 123 45 67", "+79161234567", "телефон", "+79161234567"),
    ],
)
def test_a_value_is_read_as_the_clients_answer(
    play: Play, label: str, typed: str, text: str, name: str, value: Any
) -> None:
    assert give(play, label, typed) == [], "the client hears nothing of it"
    assert read(play)[label] == (text, "user:7")
    assert play.value(name) == value
    assert play.why("field") == [{"label": label, "by": "user:7"}]
    (record,) = [it for it in play.records if it.kind == "field_given"]
    assert record.data == {**record.data, "label": label, "by": "user:7"}
    assert text not in record.data.values(), "events hold no personal data"


@pytest.mark.parametrize(
    ("label", "typed", "why", "detail"),
    [
        ("Погода", "дождь", "field", ""),
        ("Причина", "", "value", ""),
        ("Причина", "   ", "value", ""),
        ("Сумма", "много", "value", ""),
        ("Сумма", "1000", "value", "Не больше 1000."),
        ("Когда", "когда-нибудь", "value", ""),
        ("Сумма", "1.500", "value", "Какое число вы имеете в виду?"),
    ],
)
def test_a_wrong_value_changes_nothing_and_is_told(play: Play, label: str, typed: str, why: str, detail: str) -> None:
    before, values = read(play), dict(play.conversation.talk.run.frames[0].values) if play.conversation.talk.run else {}
    assert give(play, label, typed) == []
    (refused,) = play.why("refused")
    assert (refused["act"], refused["by"], refused["why"]) == ("set_field", "user:7", why)
    assert refused["detail"].startswith(detail)
    assert Record("operator_refused", {"act": "set_field", "operator": "user:7", "why": why}) in play.effects
    assert read(play) == before
    run = play.conversation.talk.run
    assert run is not None
    assert run.frames[0].values == values


def test_the_flow_goes_on_with_the_value_of_the_person(play: Play) -> None:
    give(play, "Причина", "брак")
    play.say("500")
    play.say("завтра")
    assert play.say("8 916 123-45-67") == ["брак, 500"]


def test_the_last_who_wrote_is_named(play: Play) -> None:
    give(play, "Причина", "брак")
    give(play, "Причина", "дорого", by="user:8")
    assert read(play)["Причина"] == ("дорого", "user:8")


def test_an_answer_after_the_person_is_the_clients(play: Play) -> None:
    give(play, "Сумма", "10")
    play.say("назад")
    play.say("другое")
    assert read(play)["Причина"] == ("другое", "bot")


def test_the_step_before_is_not_changed(play: Play) -> None:
    """A turn that is not stored must leave the conversation as it was read."""
    before = play.conversation
    give(play, "Причина", "брак")
    assert before is not play.conversation
    assert before.talk.run is not None
    assert before.talk.run.frames[0].values["причина"] == "сломан"


def test_a_field_of_no_run_is_kept_beside_them(book: Book) -> None:
    play = Play(book)
    give(play, "Тема", "Доставка")
    assert read(play) == {"Тема": ("Доставка", "user:7")}
    assert play.conversation.talk.run is None
    give(play, "Тема", "Оплата", by="user:8")
    give(play, "Сумма", "7")
    assert read(play) == {"Тема": ("Оплата", "user:8"), "Сумма": ("7", "user:7")}


def test_a_field_that_no_flow_has_any_more_is_free_text_but_never_empty(book: Book) -> None:
    play = Play(book)
    play.conversation.talk.memory["collected"] = {"Цвет": "красный"}
    give(play, "Цвет", "синий")
    assert read(play) == {"Цвет": ("синий", "user:7")}
    give(play, "Цвет", "")
    assert [it["why"] for it in play.why("refused")] == ["value"]
    assert read(play) == {"Цвет": ("синий", "user:7")}


def test_what_a_called_flow_has_left_is_put_right_too(play: Play) -> None:
    """The flow that asked is over, its answer is still the run's: a correction must not vanish behind it."""
    give(play, "Номер заказа", "22")
    assert read(play)["Номер заказа"] == ("22", "user:7")
    run = play.conversation.talk.run
    assert run is not None
    assert run.frames[0].memory["collected"] == {"Номер заказа": "22"}


def test_the_suspended_run_is_put_right_during_a_digression(play: Play) -> None:
    play.say("вопрос")
    play.press("Да")
    give(play, "Причина", "брак")
    assert read(play)["Причина"] == ("брак", "user:7")
    suspended = play.conversation.talk.suspended
    assert suspended is not None
    assert suspended.frames[0].values["причина"] == "брак"


def test_a_run_whose_version_is_gone_is_left_alone(play: Play) -> None:
    run = play.conversation.talk.run
    assert run is not None
    run.frames[0].version = "gone"
    give(play, "Сумма", "5")
    assert read(play)["Сумма"] == ("5", "user:7")
    run = play.conversation.talk.run
    assert run is not None
    assert "сумма" not in run.frames[0].values


# --- a loan ----------------------------------------------------------------------------------------------------------


def test_what_a_loan_put_aside_is_known_and_put_right(play: Play) -> None:
    lend(play, "question")
    assert read(play)["Причина"] == ("сломан", "bot")
    give(play, "Причина", "брак")
    give(play, "Номер заказа", "22")
    give(play, "Тема", "Часы")
    expected = {"Причина": ("брак", "user:7"), "Номер заказа": ("22", "user:7"), "Тема": ("Часы", "user:7")}
    assert read(play) == expected
    play.say("Часы работы")
    play.say("a@b.ru")
    assert [it.event.outcome for it in play.effects if isinstance(it, Hand) and isinstance(it.event, LoanOver)]
    after = read(play)
    assert (after["Причина"], after["Номер заказа"]) == (("брак", "user:7"), ("22", "user:7"))
    assert play.value("причина") == "брак"


def test_a_suspended_run_that_a_loan_put_aside_is_put_right(play: Play) -> None:
    play.say("вопрос")
    play.press("Да")
    lend(play, "number")
    give(play, "Причина", "брак")
    assert read(play)["Причина"] == ("брак", "user:7")


def test_a_field_of_nobody_during_a_loan_is_kept(book: Book) -> None:
    play = Play(book)
    lend(play, "number")
    give(play, "Тема", "Часы")
    assert read(play) == {"Тема": ("Часы", "user:7")}


def test_a_date_is_read_by_the_day_of_the_correction(play: Play) -> None:
    play.now += timedelta(days=3)
    give(play, "Когда", "сегодня")
    assert read(play)["Когда"] == ("2025-03-08", "user:7")
