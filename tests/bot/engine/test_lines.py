"""Handoffs: closed, busy, given back, closed by people; lines' own rules; the operator flow cannot recurse."""

from __future__ import annotations

import msgspec
import pytest

from core.deployment import DeskInfo, LineInfo, LineRule
from core.events import Message
from core.locale import texts
from tests.bot.engine.play import DEPLOYMENT, Play, build
from tests.bot.engine.shop import SHOP

T = texts("ru")
BOOK = build(**SHOP)


def close(play: Play, line: str) -> None:
    play.lines[line] = msgspec.structs.replace(play.lines[line], open=False)


def asked(play: Play) -> Play:
    play.say("двойное списание")
    play.say("Списали дважды")
    play.say("7707083893")
    return play


def test_an_open_line_gets_the_session_with_the_note() -> None:
    play = asked(Play(BOOK))
    assert play.say("Счёт 18 списали два раза") == []
    handed = play.handed[0]
    assert handed.line == "billing"
    assert handed.note == "Списали дважды (высокая). ИНН 7707083893.\nСчёт 18 списали два раза"
    assert handed.run == 1
    assert play.state == "handoff.billing"
    assert "silence" not in play.timers


def test_given_back_the_run_goes_on_with_the_next_step() -> None:
    play = asked(Play(BOOK))
    play.say("Счёт 18 списали два раза")
    assert play.answer("returned", "billing") == ["Вопрос решён?"]
    play.say("нет")
    assert play.outcomes[-1] == ("billing", "не решено")


def test_closed_by_people_ends_the_run() -> None:
    play = asked(Play(BOOK))
    play.say("Счёт 18 списали два раза")
    assert play.answer("done", "billing") == []
    assert play.outcomes[-1] == ("billing", T("closed by the line"))


def test_closed_by_people_ends_the_interrupted_run_too_and_may_ask_for_a_rating() -> None:
    rating = "flow: Оценка\ntriggers: [{event: session_closed}]\nsteps: [{say: Оцените нас.}, {end: оценка}]"
    play = Play(build(rating=rating, **SHOP))
    play.say("вернуть товар")
    play.say("оператор")
    assert play.answer("done") == ["Оцените нас."]
    assert [flow for flow, _ in play.outcomes] == ["to_operator", "order_return", "rating"]


def test_a_closed_line_answers_without_leaving_the_bot() -> None:
    play = asked(Play(BOOK))
    close(play, "billing")
    said = play.say("Счёт 18 списали два раза")
    assert not play.handed
    assert "откроется 21:00" in said[0]
    assert said[1].startswith("Заявка 100 создана")
    assert play.tickets[0].desk == "billing"
    assert play.tickets[0].fields["Срочность"] == "высокая"
    assert play.outcomes[-1] == ("billing", "заявка в нерабочее время")


def test_a_line_may_also_say_closed_itself() -> None:
    play = asked(Play(BOOK))
    play.say("Счёт 18 списали два раза")
    assert play.answer("closed", "billing")[1].startswith("Заявка 100 создана")


def test_a_busy_line_without_a_block_follows_its_rule_and_the_run_goes_on() -> None:
    play = asked(Play(BOOK))
    play.say("Счёт 18 списали два раза")
    assert play.answer("busy", "billing") == ["На какой телефон оформлен заказ?"]
    said = play.say("8 912 345-67-89")
    assert (
        T("Everybody is busy now. Request {number} is registered, and we will come back to you.", number=100) == said[0]
    )
    assert said[1] == "Вопрос решён?"
    ticket = play.tickets[0]
    assert ticket.desk == "general"
    assert ticket.fields == {"Вопрос": "Счёт 18 списали два раза", "Телефон": "+79123456789"}
    assert ticket.title == "Вопрос по оплате"
    assert ticket.text.startswith("Списали дважды (высокая)")
    assert ticket.private == ("Телефон",)


def test_a_rule_takes_the_clients_card_first() -> None:
    play = Play(BOOK, {"phone": "+79991112233"})
    close(play, "support")
    assert play.say("оператор") == ["Зову человека.", "Опишите вопрос и, если есть, номер счёта."]
    said = play.say("Не приходит письмо")
    assert said[0] == T(
        "We are closed now. Request {number} is registered, and we will answer in working hours.", number=100
    )
    assert play.tickets[0].fields == {"Вопрос": "Не приходит письмо", "Телефон": "+79991112233"}
    assert play.outcomes[-1] == ("to_operator", "передано людям")


def test_a_rule_takes_what_the_interrupted_run_collected() -> None:
    play = Play(BOOK)
    close(play, "support")
    play.say("вернуть товар")
    play.say("123456")
    play.say("8 912 345-67-89")
    play.done(номер="123456", дней_с_доставки=3)
    play.say("оператор")
    play.say("Не приходит письмо")
    assert play.tickets[0].fields == {"Вопрос": "Не приходит письмо", "Телефон": "+79123456789"}
    assert "Номер заказа" not in play.tickets[0].fields


def test_leaving_the_queue_ends_the_run_and_shows_the_menu() -> None:
    play = asked(Play(BOOK))
    play.say("Счёт 18 списали два раза")
    assert play.answer("left", "billing") == ["Здравствуйте! Это магазин «Север»."]
    assert ("billing", T("cancelled")) in play.outcomes


def test_a_message_at_a_handoff_that_nobody_took_up_hands_over_again() -> None:
    play = asked(Play(BOOK))
    play.say("Счёт 18 списали два раза")
    assert play.say("ау") == []
    assert play.handed[0].line == "billing"


def test_a_handoff_cuts_the_way_back() -> None:
    play = asked(Play(BOOK))
    play.say("Счёт 18 списали два раза")
    play.answer("returned", "billing")
    assert play.say("назад") == [T("You cannot go back any further."), "Вопрос решён?"]


def test_people_may_take_the_session_in_the_middle_of_a_form() -> None:
    play = asked(Play(BOOK))
    assert play.answer("returned") == [
        T("Back to: “{title}”", title="Вопрос по оплате"),
        "Опишите вопрос и, если есть, номер счёта.",
    ]
    assert Play(BOOK).answer("returned") == []


def test_an_operator_who_takes_over_during_a_call_does_not_lose_its_result() -> None:
    play = Play(BOOK)
    play.say("вернуть товар")
    play.say("123456")
    play.say("8 912 345-67-89")
    play.conversation.session.owner = "operator"
    assert play.done(номер="123456", дней_с_доставки=3) == []
    play.conversation.session.owner = "bot"
    assert play.answer("returned")[-1] == "Почему возвращаете?"


OPERATOR_ASKS = """
flow: Позвать оператора
fields:
  тема: {label: Тема, type: choice, ask: "О чём?", options: [Доставка, Оплата]}
steps:
  - ask: тема
  - handoff: support
  - end: передано людям
"""


def test_inside_the_operator_flow_policies_become_the_channels_line() -> None:
    play = Play(build(to_operator=OPERATOR_ASKS))
    play.say("оператор")
    for _ in range(3):
        play.say("абвгд")
    assert play.handed[0].line == "support"
    assert play.answer("returned") == ["О чём?"]


def test_a_closed_channel_line_follows_its_rule_inside_the_operator_flow() -> None:
    play = Play(build(to_operator=OPERATOR_ASKS), {"phone": "+79991112233"})
    play.say("оператор")
    for _ in range(3):
        play.say("абвгд")
    play.answer("closed")
    said = play.say("Где мой заказ")
    assert said[0].startswith(
        T("We are closed now. Request {number} is registered, and we will answer in working hours.", number=100)[:10]
    )
    assert said[-1] == "О чём?"


def test_without_a_channel_line_the_client_still_hears_something() -> None:
    play = Play(build(to_operator=OPERATOR_ASKS))
    play.line = ""
    play.say("оператор")
    play.say("раз")
    play.say("два")
    assert play.say("три") == [T("Something went wrong on our side. Write again, or ask for an operator.")]
    assert play.conversation.talk.run is None


def test_a_message_while_the_channel_line_is_awaited_hands_over_again() -> None:
    play = Play(build(to_operator=OPERATOR_ASKS))
    play.say("оператор")
    for _ in range(3):
        play.say("абвгд")
    play.say("ну что там?")
    assert play.handed


OUTER = msgspec.structs.replace(
    DEPLOYMENT,
    lines={"support": LineInfo("Поддержка", LineRule("far"), LineRule("far")), "billing": DEPLOYMENT.lines["billing"]},
    desks={**DEPLOYMENT.desks, "far": DeskInfo("Далёкий стол", ("Город",), True)},
)


def test_a_rule_with_an_outer_desk_waits_for_it() -> None:
    play = Play(build(OUTER))
    close(play, "support")
    play.say("оператор")
    assert play.say("Казань") == []
    assert play.tickets[0].wait
    assert play.done("ok", number="A-7")[0].startswith(
        T("We are closed now. Request {number} is registered, and we will answer in working hours.", number=100)[:12]
    )


def test_a_rule_whose_outer_desk_refuses_queues_on_the_channel_line_and_never_recurses() -> None:
    play = Play(build(OUTER))
    close(play, "support")
    play.say("оператор")
    play.say("Казань")
    play.done("failed")
    assert play.handed[0].line == "support"
    assert play.answer("closed") == [T("Nobody can answer right now. Please write again in working hours.")]
    assert play.conversation.talk.run is None


def test_a_desk_rule_resumes_its_wait_after_a_digression() -> None:
    play = Play(build(OUTER, hours=SHOP["hours"]))
    close(play, "support")
    play.say("оператор")
    play.say("Казань")
    play.say("часы работы")
    assert play.conversation.talk.run is not None
    assert play.conversation.talk.run.pending
    play.conversation.session.owner = "operator"
    play.done("ok")
    play.conversation.session.owner = "bot"
    assert play.answer("returned")


@pytest.mark.parametrize("answer", ["returned", "closed", "busy", "done", "left"])
def test_a_lines_answer_without_a_run_is_harmless(answer: str) -> None:
    play = Play(BOOK)
    play.answer(answer)
    assert play.happen(Message("двойное списание")) == ["О чём вопрос?"]
