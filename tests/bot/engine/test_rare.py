"""What seldom happens: proved answers, empty words, long stories, circles of digressions, flows gone in between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from core.events import LineAnswer, Opened, Press, TicketChanged, TimerFired
from core.locale import texts
from core.messages import Contact
from tests.bot.engine.play import BOT, Play, build
from tests.bot.engine.shop import SHOP

T = texts("ru")
CALL_ME = """
flow: Перезвоните
triggers: [{exact: [перезвоните]}, {pattern: 'заявка (?P<номер>\\d+)'}]
fields:
  номер: {label: Номер, type: number, ask: Какой номер?, max: 50}
  телефон: {label: Телефон, type: phone, ask: Ваш телефон?, keep: client.phone}
  имя: {label: Имя, type: text, ask: Как вас зовут?}
steps:
  - ask: [телефон, имя]
  - ask: номер
  - end: записано
"""
BOOK = build(call_me=CALL_ME, **SHOP)


def steps(text: str, head: str = "") -> Play:
    """A play of one small flow, begun by «проба»."""
    flow = "flow: Проба\ntriggers: [{exact: [проба]}]\n" + head + "steps:\n" + text
    return Play(build(probe=flow, **SHOP))


# --- the card --------------------------------------------------------------------------------------------------------


def test_a_typed_answer_never_replaces_a_proved_one() -> None:
    play = Play(BOOK, {"phone": "+79161112233", "verified": ["phone"]})
    play.say("перезвоните")
    play.say("8 912 345-67-89")
    assert play.value("телефон") == "+79123456789", "the run goes on with what was said"
    assert play.client["phone"] == "+79161112233", "the card keeps what the messenger proved"


def test_a_proved_answer_replaces_a_typed_one() -> None:
    play = Play(BOOK, {"phone": "+79123456789"})
    play.say("перезвоните")
    play.say("", contact=Contact("+79161112233", own=True))
    assert (play.client["phone"], play.client["verified"]) == ("+79161112233", ["phone"])


def test_an_answer_that_the_card_has_is_not_written_again() -> None:
    play = Play(BOOK, {"phone": "+79123456789"})
    play.say("перезвоните")
    play.say("8 912 345-67-89")
    assert [type(effect).__name__ for effect in play.effects].count("UpdateClient") == 0


def test_a_picked_answer_is_kept_on_the_card_too() -> None:
    play = Play(BOOK)
    play.say("перезвоните")
    assert play.say("8 912 345-67-89 это мой") == ["Как вас зовут?"]
    assert play.client["phone"] == "+79123456789"
    fresh = Play(build(call_me=CALL_ME.replace("exact: [перезвоните]", "words: [перезвоните]"), **SHOP))
    fresh.say("перезвоните на 8 912 345-67-89")
    assert (fresh.value("телефон"), fresh.client["phone"]) == ("+79123456789", "+79123456789")


def test_a_trigger_fills_only_fields_that_take_the_text() -> None:
    play = Play(BOOK)
    play.say("заявка 5")
    assert play.value("номер") == 5
    play = Play(BOOK)
    play.say("заявка 500")
    assert play.value("номер") is None


# --- saying ----------------------------------------------------------------------------------------------------------


def test_links_beside_a_question_keep_their_address_and_are_not_counted() -> None:
    play = steps(
        "  - say: {text: Смотрите, links: {Сайт: 'https://shop.example'}}\n"
        "  - choose: Что дальше?\n    options: [{button: А, then: [{end: а}]}, {button: Б, then: [{end: б}]}]\n"
    )
    play.say("проба")
    (link,) = (button for row in play.sent[0].rows for button in row)
    assert (link.url, link.token) == ("https://shop.example", "")
    play.say("2")
    assert play.outcomes[-1] == ("probe", "б")


def test_a_summary_of_answers_from_elsewhere_can_only_be_confirmed() -> None:
    child = """
flow: Сверка
takes: {телефон: {type: phone, optional: true}}
fields: {телефон: {label: Телефон, type: phone, ask: Телефон?, optional: true}}
steps: [{confirm: [телефон]}, {end: сверено}]
"""
    parent = "flow: Проба\ntriggers: [{exact: [проба]}]\nsteps: [{call: check_up}, {end: готово}]\n"
    play = Play(build(check_up=child, probe=parent, **SHOP))
    play.say("проба")
    assert play.labels == [T("All correct")]
    play.say("верно")
    assert play.outcomes[-1] == ("probe", "готово")


# --- outside ---------------------------------------------------------------------------------------------------------


def test_a_solved_ticket_nobody_rates_is_told_by_the_flow_of_changes() -> None:
    """`ticket_solved` is tried first; when its `where` does not hold, `ticket_changed` has its turn."""
    solved = """
flow: Решена
triggers: [{event: ticket_solved, where: event.статус == "закрыта"}]
steps: [{say: Решена совсем}, {end: сказано}]
"""
    changed = "flow: Изменилась\ntriggers: [{event: ticket_changed}]\nsteps: [{say: Изменилась}, {end: сказано}]\n"
    play = Play(build(solved=solved, changed=changed, **SHOP))
    assert play.happen(TicketChanged(5, "решена", True)) == ["Изменилась"]
    assert play.happen(TicketChanged(5, "закрыта", True)) == ["Решена совсем"]


def test_a_link_opened_while_a_call_runs_is_followed_afterwards() -> None:
    play = Play(BOOK)
    play.say("вернуть товар")
    play.say("123456")
    play.say("8 912 345-67-89")
    assert play.happen(Opened("")) == []
    assert play.happen(Press("1.1.1", "Вопрос по оплате")) == []
    said = play.done(номер="123456", дней_с_доставки=3)
    assert said[0] == "Почему возвращаете?"
    assert play.conversation.talk.run is not None
    assert play.conversation.talk.run.held == []


def test_what_was_held_waits_for_the_next_call_too() -> None:
    """The first answer held starts another call; the second is kept for its end."""
    flow = """
flow: Проба
triggers: [{exact: [проба]}]
fields: {номер: {label: Номер, type: text, ask: Номер?}}
steps:
  - step: снова
    request: shop.get_order
    with: {number: "1", phone: "2"}
    missing: [{ask: номер}, {request: shop.get_order, with: {number: "{{ номер }}", phone: "2"}, missing: [{end: нет}]}]
  - end: готово
"""
    play = Play(build(probe=flow, **SHOP))
    play.say("проба")
    play.say("123")
    play.say("456")
    assert play.done("missing") == ["Номер?"]
    assert play.calls[0].params == {"number": "123", "phone": "2"}
    run = play.conversation.talk.run
    assert run is not None
    assert [held["text"] for held in run.held] == ["456"]


# --- what is gone ----------------------------------------------------------------------------------------------------


def test_a_button_of_ours_whose_flow_is_gone_is_out_of_date() -> None:
    play = Play(BOOK)
    play.say("вернуть товар")
    play.say("вопрос по оплате")
    assert play.labels == [T("Yes"), T("No")]
    gone = {name: text for name, text in SHOP.items() if name != "billing"}
    play.book = build(call_me=CALL_ME, **gone).with_older(BOOK)
    assert play.say("да") == [T("This button is out of date.")]


def test_a_line_that_answers_a_lost_run_begins_it_anew() -> None:
    play = Play(BOOK)
    play.say("двойное списание")
    play.say("Другое")
    play.book = build(**{**SHOP, "billing": SHOP["billing"].replace("Опишите", "Расскажите")})
    assert play.happen(LineAnswer("returned", "support"))[0] == T(
        "We have updated this dialogue, so let me ask once more."
    )


def test_a_silence_of_stages_that_are_gone_is_over() -> None:
    play = Play(BOOK)
    play.say("двойное списание")
    timer = play.timers["silence"]
    assert play.happen(TimerFired("silence", {**timer.data, "stage": 7})) == []
    assert play.state == "ask.тема"


@pytest.mark.parametrize(
    "stages", ["[{after: 15m, say: Вы здесь?}]", "[{after: 15m, say: Вы здесь?}, {after: 1h, end: нет}]"]
)
def test_the_last_words_of_a_silence_set_no_other_timer(stages: str) -> None:
    head = BOT.partition("  silence:")[0]
    play = Play(build(_bot=head + f"  silence: {stages}\n", **SHOP))
    play.say("двойное списание")
    assert play.fire("silence") == ["Вы здесь?"]
    assert ("silence" in play.timers) == ("1h" in stages)
    play.now += timedelta(hours=2)
    assert play.state == "ask.тема"


# --- stories ---------------------------------------------------------------------------------------------------------


def test_a_story_too_long_to_remember_is_not_picked_from() -> None:
    caller = """
flow: Проба
triggers: [{words: [хочу вернуть]}]
steps: [{call: find_order}, {end: готово}]
"""
    flows = {name: text for name, text in SHOP.items() if name != "order_return"}
    book = build(probe=caller, **flows)
    short, long = Play(book), Play(book)
    assert short.say("хочу вернуть ORD-123456") == ["На какой телефон оформлен заказ?"]
    assert long.say("хочу вернуть ORD-123456 " + "очень " * 100) == [
        "Напишите номер заказа. Он есть в письме о покупке."
    ]


def test_a_failure_nobody_answers_brings_people() -> None:
    """The first flow's policy answers it; its default is the operator flow."""
    quiet = BOT.replace("  failed:\n    - call: to_operator\n    - end: передано людям\n", "")
    child = "flow: Ребёнок\nsteps: [{fail: не вышло}]\n"
    parent = "flow: Проба\ntriggers: [{exact: [проба]}]\nsteps: [{call: child}, {end: готово}]\n"
    flows = {name: text for name, text in SHOP.items() if name not in ("find_order", "order_return")}
    play = Play(build(_bot=quiet, child=child, probe=parent, **flows))
    assert play.say("проба") == ["Зову человека."]
    assert play.handed


# --- buttons and attempts --------------------------------------------------------------------------------------------


def test_back_gives_all_attempts_again() -> None:
    play = Play(BOOK)
    play.say("двойное списание")
    for answer in ("ерунда", "чепуха", "Другое", "назад", "ерунда"):
        play.say(answer)
    play.say("чепуха")
    assert play.state == "ask.тема", "the wrong answers of before «назад» count no more"
    play.say("ерунда")
    assert play.handed


ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


@pytest.mark.parametrize(
    "forged",
    [
        lambda token: token.translate(ARABIC),
        lambda token: "0" * 30 + token,
        lambda token: token + ".0",
        lambda token: "-" + token,
        lambda token: token.rpartition(".")[0],
        lambda token: token.rpartition(".")[0] + ".²",
        lambda token: token.rpartition(".")[0] + ".99",
        lambda token: token.replace(".", ","),
        lambda token: "",
    ],
)
def test_only_our_own_tokens_are_buttons(forged: Callable[[str], str]) -> None:
    play = Play(BOOK)
    play.say("двойное списание")
    said = play.happen(Press(forged(play.buttons["Другое"])))
    assert said[0] == T("This button is out of date.")
    assert play.state == "ask.тема"
    assert play.happen(Press(play.buttons["Другое"])) == ["ИНН вашей организации?"], "the true one still works"


def test_a_button_of_an_earlier_run_does_not_answer_the_new_one() -> None:
    play = Play(BOOK)
    play.say("двойное списание")
    old = play.buttons["Другое"]
    play.say("отмена")
    play.say("двойное списание")
    assert play.happen(Press(old))[0] == T("This button is out of date.")
    assert play.state == "ask.тема"


def test_what_breaks_the_authors_rule_is_not_picked() -> None:
    flow = """
flow: Проба
triggers: [{words: [перезвоните]}]
fields:
  телефон:
    label: Телефон
    type: phone
    ask: Ваш телефон?
    check: [{must: 'value != "+79123456789"', else: Этот номер не подходит.}]
steps: [{ask: телефон}, {end: записано}]
"""
    play = Play(build(probe=flow, **SHOP))
    assert play.say("перезвоните на 8 912 345-67-89") == ["Ваш телефон?"]
    play = Play(build(probe=flow, **SHOP))
    play.say("перезвоните на 8 912 345-67-80")
    assert play.outcomes[-1] == ("probe", "записано")
