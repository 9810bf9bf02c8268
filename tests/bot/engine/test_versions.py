"""Versions: a run keeps its own to the end; when that is gone, its flow begins anew with the values that still fit."""

from __future__ import annotations

import pytest

from bot.book import Book
from core.events import Press
from core.locale import texts
from tests.bot.engine.play import Play, build
from tests.bot.engine.shop import SHOP

T = texts("ru")
UPDATED = T("We have updated this dialogue, so let me ask once more.")
OLD = build(**SHOP)
EDITED = {**SHOP, "billing": SHOP["billing"].replace("Опишите вопрос и, если есть", "Расскажите, и если есть")}
NEW = build(**EDITED)


def standing(book: Book = OLD) -> Play:
    play = Play(book)
    play.say("двойное списание")
    play.say("Другое")
    return play


def test_a_run_keeps_its_version() -> None:
    play = standing()
    play.book = NEW.with_older(OLD)
    assert play.say("7707083893") == ["Опишите вопрос и, если есть, номер счёта."]
    play.say("отмена")
    play.client.pop("inn")
    play.say("двойное списание")
    play.say("Другое")
    assert play.say("7707083893") == ["Расскажите, и если есть, номер счёта."]


def test_calls_stay_in_the_version_of_their_caller() -> None:
    play = Play(OLD)
    play.say("вернуть товар")
    new = build(**{**SHOP, "find_order": SHOP["find_order"].replace("На какой телефон", "На какой номер")})
    play.book = new.with_older(OLD)
    assert play.say("123456") == ["На какой телефон оформлен заказ?"]


def test_unchanged_flows_keep_their_version_and_state_ids() -> None:
    assert OLD.flows["order_return"].version == NEW.flows["order_return"].version
    assert OLD.flows["billing"].version != NEW.flows["billing"].version
    assert list(OLD.flows["billing"].nodes) == list(NEW.flows["billing"].nodes)
    assert OLD.id != NEW.id


def test_a_version_that_is_gone_begins_anew_with_what_still_fits() -> None:
    play = standing()
    play.book = NEW.with_older(OLD).without({("billing", OLD.flows["billing"].version)})
    assert play.say("7707083893") == [UPDATED, "ИНН вашей организации?"]
    assert play.value("тема") == "Другое"
    assert play.conversation.talk.runs == 1


def test_current_versions_cannot_be_taken_away() -> None:
    current = {(flow.id, flow.version) for flow in NEW.flows.values()}
    assert NEW.without(current).versions == NEW.versions


def test_a_value_that_fits_no_more_is_asked_again() -> None:
    play = standing()
    play.book = build(**{**SHOP, "billing": SHOP["billing"].replace(", Другое]", ", Прочее]")})
    assert play.say("7707083893") == [UPDATED, "О чём вопрос?"]
    assert play.value("тема") is None


@pytest.mark.parametrize("how", ["press", "timer", "answer", "call", "start"])
def test_every_event_of_a_lost_run_begins_it_anew(how: str) -> None:
    play = Play(OLD)
    play.say("вернуть товар")
    if how == "call":
        play.say("123456")
        play.say("8 912 345-67-89")
    play.book = build(**{**SHOP, "find_order": SHOP["find_order"].replace("На какой телефон", "На какой номер")})
    if how == "press":
        said = play.happen(Press("1.2.3"))
    elif how == "timer":
        said = play.fire("silence")
    elif how == "answer":
        said = play.answer("returned")
    elif how == "call":
        said = play.done(номер="123456", дней_с_доставки=3)
    else:
        said = play.say("123456")
    if how == "call":  # nothing is left to ask: the answers still fit
        assert said == [UPDATED]
        assert play.calls[0].params == {"number": "123456", "phone": "+79123456789"}
    else:
        assert said == [UPDATED, "Напишите номер заказа. Он есть в письме о покупке."]


def test_a_flow_that_is_gone_altogether_ends() -> None:
    play = standing()
    gone = {name: text for name, text in SHOP.items() if name != "billing"}
    play.book = build(**gone)
    assert play.say("7707083893")[0] == UPDATED
    assert play.conversation.talk.run is None


def test_a_suspended_run_whose_version_is_gone_begins_anew_when_it_is_resumed() -> None:
    play = standing()
    play.say("часы работы")
    play.say("вернуть товар")
    play.say("да")
    play.book = NEW
    assert play.say("отмена") == [T("Cancelled."), UPDATED, "ИНН вашей организации?"]


def test_back_into_a_version_that_is_gone() -> None:
    play = standing()
    key = ("billing", OLD.flows["billing"].version)
    play.book = NEW.without(set())
    assert key not in play.book.versions
    assert play.say("назад") == [UPDATED, "ИНН вашей организации?"]


MANY = """
flow: Всё
triggers: [{words: [спроси всё]}]
fields:
  много: {label: Много, type: many, ask: "Много?", options: [Раз, Два]}
  число: {label: Число, type: number, ask: "Число?"}
  да: {label: Да, type: yes_no, ask: "Да?"}
  код: {label: Код, pattern: '[A-Z]{3}', ask: "Код?"}
  место: {label: Место, type: location, ask: "Место?"}
  конец: {label: Конец, ask: "Конец?"}
steps:
  - ask: [много, число, да, код, место, конец]
  - end: готово
"""


@pytest.mark.parametrize(
    ("changed", "question"),
    [
        (MANY.replace("Конец?", "И всё?"), "И всё?"),
        (MANY.replace("[Раз, Два]", "[Раз, Три]"), "Много?"),
        (MANY.replace("type: number", "type: yes_no"), "Число?"),
        (MANY.replace("type: yes_no", "type: number"), "Да?"),
        (MANY.replace("{3}", "{4}"), "Код?"),
        (MANY.replace("type: location", "type: number"), "Место?"),
    ],
)
def test_what_still_fits(changed: str, question: str) -> None:
    play = Play(build(many=MANY))
    for text in ("спроси всё", "1, 2", "5", "да", "ABC", "Казань, Кремль"):
        play.say(text)
    assert play.state == "ask.конец"
    play.book = build(many=changed)
    assert play.say("ой") == [UPDATED, question]


def test_a_broken_stored_state_is_a_lost_version() -> None:
    play = standing()
    run = play.conversation.talk.run
    assert run is not None
    run.frames[0].state = "нет такого"
    assert play.say("привет")[0] == UPDATED
