"""Requests and tickets: results, failures, policies; what cannot be undone; loops that would never end."""

from __future__ import annotations

import pytest

from core.events import CallDone
from core.locale import texts
from tests.bot.engine.play import BOT, Play, build
from tests.bot.engine.shop import SHOP

T = texts("ru")
BOOK = build(**SHOP)


def asking_shop() -> Play:
    play = Play(BOOK)
    play.say("вернуть товар")
    play.say("123456")
    play.say("8 912 345-67-89")
    return play


def test_missing_goes_back_to_the_question_and_asks_all() -> None:
    play = asking_shop()
    assert play.done("missing") == [
        "Заказ 123456 с таким телефоном не нашёлся. Проверим ещё раз.",
        "Напишите номер заказа. Он есть в письме о покупке.",
    ]
    assert play.say("654321") == ["На какой телефон оформлен заказ?"]


def test_a_failure_goes_up_and_leaves_the_first_flow_by_its_policy() -> None:
    play = asking_shop()
    assert play.done("failed") == ["Зову человека."]
    assert play.handed
    assert "Номер заказа: 123456" in play.handed[0].note
    play.answer("returned")
    assert play.outcomes[-1] == ("order_return", "передано людям"), "the policy's end ends the whole run"


def test_a_call_with_failed_answers_the_failure() -> None:
    catching = SHOP["order_return"].replace(
        "      - call: find_order\n",
        "      - call: find_order\n        failed:\n          - say: Магазин молчит.\n          - end: без заказа\n",
    )
    play = Play(build(**{**SHOP, "order_return": catching}))
    play.say("вернуть товар")
    play.say("123456")
    play.say("8 912 345-67-89")
    assert play.done("failed") == ["Магазин молчит."]
    assert play.outcomes[-1] == ("order_return", "без заказа")


def test_a_result_nobody_waits_for_is_void() -> None:
    play = asking_shop()
    assert play.happen(CallDone("other", "ok")) == []
    assert play.why("void")
    assert play.state == "request.shop.get_order"


def test_an_optional_name_that_is_absent_is_empty() -> None:
    play = asking_shop()
    play.done(номер="123456", дней_с_доставки=3)
    assert play.value("заказ") == {"номер": "123456", "дней_с_доставки": 3, "статус": None}


BLOCK = """
flow: Блокировка
triggers: [{words: [заблокировать карту]}]
fields:
  номер: {label: Номер, type: number, ask: "Какой номер?"}
  точно: {label: Точно, type: yes_no, ask: "Точно?"}
steps:
  - ask: номер
  - request: shop.block
    with: {number: "{{ номер }}"}
    save: блок
  - say: "Итог: {{ блок.итог | default('нет') }}"
  - ask: точно
  - end: готово
"""


def test_a_request_that_writes_cuts_the_way_back() -> None:
    play = Play(build(block=BLOCK))
    play.say("заблокировать карту")
    play.say("77")
    assert play.calls[0].params == {"number": 77}
    assert play.done(итог="ок") == ["Итог: ок", "Точно?"]
    assert play.say("назад") == [T("You cannot go back any further."), "Точно?"]


def test_policy_failed_that_runs_off_its_end_goes_on_with_the_next_step() -> None:
    bot = BOT.replace("    - call: to_operator\n    - end: передано людям\n", "    - say: Не вышло, идём дальше.\n")
    play = Play(build(_bot=bot, block=BLOCK))
    play.say("заблокировать карту")
    play.say("77")
    said = play.done("failed")
    assert said == ["Не вышло, идём дальше.", "Итог: нет", "Точно?"]
    assert any("call failed" in error for error in play.errors())


def test_missing_without_a_block_is_a_failure() -> None:
    play = Play(build(block=BLOCK))
    play.say("заблокировать карту")
    play.say("77")
    assert play.done("missing") == ["Зову человека."]


def test_a_failure_that_leaves_the_first_flow_and_its_policy_runs_off() -> None:
    bot = BOT.replace("    - call: to_operator\n    - end: передано людям\n", "    - say: Не вышло.\n")
    fail = "flow: Плохо\ntriggers: [{words: [сделай плохо]}]\nsteps: [{fail: всё плохо}]"
    play = Play(build(_bot=bot, bad=fail))
    assert play.say("сделай плохо") == ["Не вышло."]
    assert play.outcomes[-1] == ("bad", "всё плохо")


OUTER = """
flow: Внешняя заявка
triggers: [{words: [внешняя заявка]}]
fields:
  суть: {label: Суть, type: choice, ask: "Что?", options: [Раз, Два]}
  ещё: {label: Ещё, ask: "Ещё?"}
steps:
  - ask: суть
  - ticket: outer
    title: "{{ суть }}"
    priority: срочно
    save: заявка
    failed:
      - say: Стол отказал.
      - end: отказ
  - say: "Номер {{ заявка.номер }} {{ заявка.ссылка | default('') }}"
  - ask: ещё
  - end: готово
"""


def outer() -> Play:
    play = Play(build(outer=OUTER, hours=SHOP["hours"]))
    play.say("внешняя заявка")
    play.say("раз")
    return play


def test_an_outer_ticket_waits_and_then_has_its_link() -> None:
    play = outer()
    assert play.tickets[0].wait
    assert play.tickets[0].priority == "срочно"
    assert play.say("часы работы") == [], "held"
    said = play.done("ok", number="A-1", link="https://desk.example/A-1")
    assert said[0] == "Номер 100 https://desk.example/A-1"


def test_an_outer_desk_that_refuses_is_failed() -> None:
    play = outer()
    assert play.done("failed") == ["Стол отказал."]
    assert len(play.tickets) == 1


def test_a_ticket_cuts_the_way_back() -> None:
    play = outer()
    play.done("ok")
    assert play.say("назад") == [T("You cannot go back any further."), "Ещё?"]


def test_a_ticket_is_not_created_twice_by_a_digression() -> None:
    play = outer()
    play.say("оператор")
    assert play.conversation.talk.suspended is not None
    play.happen(CallDone(play.conversation.talk.suspended.pending, "ok", {"link": "https://x.example"}))
    assert play.answer("returned")[1] == "Номер 100 https://x.example"
    assert len(play.tickets) == 1


LOOP = """
flow: Круг
triggers: [{words: [бегай кругами]}]
steps:
  - step: начало
    say: Круг.
  - goto: начало
"""


@pytest.fixture
def looping() -> Play:
    """A flow in circles that no check has seen: compiled as it is."""
    from bot.book import build_book
    from bot.reading import read, versions
    from tests.bot.engine.play import DEPLOYMENT, sources

    files = sources(loop=LOOP)
    library, _ = read(files, DEPLOYMENT)
    assert library is not None
    return Play(build_book(library, DEPLOYMENT, versions(library, files), "test"))


def test_a_step_entered_more_than_ten_times_leads_to_people(looping: Play) -> None:
    said = looping.say("бегай кругами")
    assert said == ["Круг."] * 10 + ["Зову человека."]
    assert looping.handed
    assert looping.why("loop")


LONG = (
    "flow: Длинно\ntriggers: [{words: [очень длинно]}]\nsteps:\n" + "  - set: {имя: Кот}\n" * 150 + "  - end: готово\n"
)


def test_a_hundred_steps_for_one_message_lead_to_people() -> None:
    play = Play(build(long=LONG))
    assert play.say("очень длинно") == ["Зову человека."]
    assert play.handed
    assert any("100" in error for error in play.errors())


def test_a_hundred_steps_inside_the_operator_flow_are_the_end() -> None:
    steps = "steps:\n" + "  - set: {имя: Кот}\n" * 150 + "  - handoff: support\n  - end: готово\n"
    play = Play(build(to_operator="flow: Оператор\n" + steps))
    assert play.say("оператор") == [T("Something went wrong on our side. Write again, or ask for an operator.")]
    assert play.conversation.talk.run is None


EMPTY = """
flow: Пусто
triggers: [{words: [пустой выбор]}]
takes: {имя: {type: text, optional: true}}
steps:
  - choose: Что?
    columns: 2
    options:
      - button: Раз
        if: имя
      - button: Два
        if: имя
  - say: "Дальше, {{ имя | default('никто') }}."
  - set: {client.name: Кто-то, имя: Кот}
  - say:
      text: "{{ client.name }} и {{ имя }}"
      per_channel: {web: "Веб: {{ имя }}"}
      links: {Сайт: "https://example.com"}
  - end: готово
"""


def test_a_choice_with_nothing_to_choose_goes_on() -> None:
    play = Play(build(empty=EMPTY))
    assert play.say("пустой выбор") == ["Дальше, никто.", "Кто-то и Кот"]
    assert play.client["name"] == "Кто-то"
    assert play.sent[-1].per_channel["web"].text == "Веб: Кот"
    assert play.sent[-1].rows[0][0].url == "https://example.com"


CALLER = """
flow: Вызов
triggers: [{words: [вызвать пустой]}]
steps:
  - call: empty
    with: {имя: Аня}
  - end: готово
"""


def test_a_call_passes_inputs_and_columns_lay_buttons_out() -> None:
    play = Play(build(empty=EMPTY, caller=CALLER))
    assert play.say("вызвать пустой") == ["Что?"]
    assert [len(row) for row in play.sent[-1].rows] == [2]
    assert play.say("2") == ["Дальше, Аня.", "Кто-то и Кот"]
    assert play.outcomes[-1] == ("caller", "готово")


def test_a_wrong_choice_repeats_the_question() -> None:
    play = Play(build(empty=EMPTY, caller=CALLER))
    play.say("вызвать пустой")
    assert play.say("три") == ["Не получилось разобрать ответ.\nЧто?"]
    silent = BOT.replace("  wrong: Не получилось разобрать ответ.\n", "")
    play = Play(build(_bot=silent, empty=EMPTY, caller=CALLER))
    play.say("вызвать пустой")
    assert play.say("три") == [T("Please choose one of the options.") + "\nЧто?"]
