"""What clients do that nobody expects: old buttons of a question that looks otherwise now, greetings to a greeting."""

from __future__ import annotations

import pytest

from core.events import CallDone, Press
from core.locale import texts
from core.messages import Attachment
from core.turn import LineFacts
from tests.bot.engine.play import BOT, Play, build
from tests.bot.engine.shop import SHOP

T = texts("ru")
PHOTO = (Attachment("photo", "f1"),)

LOBBY = """
flow: Главное меню
triggers:
  - event: first_message
  - exact: [привет]
interrupts: never
steps:
  - say: Здравствуйте!
  - choose: Чем помочь?
    options:
      - {button: Вернуть товар, then: [{call: order_return}]}
      - {button: Вопрос по оплате, then: [{call: billing}]}
  - end: помогли
"""


def summary() -> Play:
    """A return dialogue that waits at its summary."""
    play = Play(build(**SHOP))
    for text in ("хочу вернуть товар", "ORD-123456", "8 912 345-67-89"):
        play.say(text)
    play.done(номер="123456", дней_с_доставки=3)
    play.press("Не подошло")
    play.say("Не подошёл размер, мала.")
    play.say("8 912 345-67-89")
    return play


# --- buttons of one state that asked twice ---------------------------------------------------------------------------


def test_an_old_button_of_a_summary_is_not_taken_for_what_to_correct() -> None:
    play = summary()
    play.press(T("Correct it"))
    play.press(T("All correct"))
    assert len(play.tickets) == 1
    assert play.tickets[0].fields["Причина"] == "Не подошло"


LOOP = """
flow: Петля
triggers: [{words: [петля]}]
steps:
  - set: {н: "{{ 1 }}"}
  - step: вопрос
    choose: Что?
    options:
      - {button: А, if: н == 1, then: [{set: {н: "{{ 2 }}"}}, {goto: вопрос}]}
      - {button: Б, then: [{end: б}]}
      - {button: В, then: [{end: в}]}
"""


@pytest.mark.parametrize(("label", "outcome"), [("Б", "б"), ("В", "в")])
def test_an_old_button_means_its_label_when_other_options_are_hidden(label: str, outcome: str) -> None:
    play = Play(build(loop=LOOP))
    play.say("петля")
    old = Press(play.buttons[label], label)
    play.press("А")
    play.happen(old)
    assert play.outcomes[-1] == ("loop", outcome)


def test_an_old_button_without_a_label_is_taken_by_its_number() -> None:
    play = Play(build(loop=LOOP))
    play.say("петля")
    play.happen(Press(play.buttons["В"]))
    assert play.outcomes[-1] == ("loop", "в")


def test_keys_of_states_differ_between_flows_and_stay_short() -> None:
    flows = {f"f{n}": f"flow: Сценарий {n}\nsteps: [{{end: готово}}]\n" for n in range(300)}
    book = build(**flows)
    keys = [node.key for flow in book.flows.values() for node in flow.nodes.values()]
    assert len(set(keys)) == len(keys)
    assert max(map(len, keys)) <= 9


# --- the welcome -----------------------------------------------------------------------------------------------------


def test_a_greeting_to_the_menu_is_no_wrong_answer() -> None:
    play = Play(build(_bot=BOT, menu=LOBBY, **SHOP))
    assert play.say("привет") == ["Здравствуйте!", "Чем помочь?"]
    for _ in range(4):
        assert play.say("Привет!") == ["Чем помочь?"]
    assert not play.handed


def test_what_the_menu_does_not_know_is_listed_for_the_admin() -> None:
    play = Play(build(menu=LOBBY, **SHOP))
    play.say("привет")
    play.say("Где купить лыжи?")
    play.press("Вопрос по оплате")
    play.say("абракадабра")
    assert [r.data["text"] for r in play.records if r.kind == "uncaught"] == ["где купить лыжи"]


def test_a_run_from_the_menu_is_called_by_what_was_chosen() -> None:
    play = Play(build(menu=LOBBY, **SHOP))
    play.say("привет")
    play.press("Вопрос по оплате")
    assert play.say("хочу вернуть товар") == [T("Interrupt “{title}”?", title="Вопрос по оплате")]
    assert play.say("часы работы")[:2] == [
        "Мы работаем с 9 до 18.",
        T("Back to: “{title}”", title="Вопрос по оплате"),
    ]


def test_a_run_from_the_menu_begins_anew_where_the_client_was() -> None:
    play = Play(build(menu=LOBBY, **SHOP))
    play.say("привет")
    play.press("Вернуть товар")
    play.say("123456")
    changed = SHOP["find_order"].replace("На какой телефон оформлен", "На какой номер оформлен")
    play.book = build(menu=LOBBY, **{**SHOP, "find_order": changed})
    assert play.say("и что?") == [
        T("We have updated this dialogue, so let me ask once more."),
        "На какой номер оформлен заказ?",
    ]


def test_leaving_the_menu_comes_back_to_nothing() -> None:
    play = Play(build(menu=LOBBY, **SHOP))
    play.say("привет")
    assert play.say("часы работы") == ["Мы работаем с 9 до 18."]
    play.say("меню")
    assert play.say("оператор") == ["Зову человека."]
    assert play.answer("returned") == []
    assert play.conversation.talk.run is None


REPORT = """
flow: Обращение
triggers: [{words: [написать обращение]}]
fields:
  суть: {label: Вопрос, ask: В чём вопрос?}
  телефон: {label: Телефон, type: phone, ask: Ваш телефон?, from: client.phone}
steps:
  - ask: [суть, телефон]
  - ticket: general
    title: Обращение
    with: {Вопрос: "{{ суть }}", Телефон: "{{ телефон }}"}
  - end: записано
"""


def test_a_rule_of_a_line_asks_as_the_flow_that_files_on_its_desk() -> None:
    play = Play(build(report=REPORT, **SHOP))
    play.lines["support"] = LineFacts("Поддержка", False, None)
    assert play.say("оператор") == ["Зову человека.", "В чём вопрос?"]
    assert play.say("Не работает сайт") == ["Ваш телефон?"]


# --- no run ----------------------------------------------------------------------------------------------------------

A = "flow: Счета\ntriggers: [{words: [счёт потерян]}]\nsteps: [{say: Счета.}, {end: счета}]\n"
B = "flow: Акты\ninterrupts: never\ntriggers: [{words: [акт потерян]}]\nsteps: [{say: Акты.}, {end: акты}]\n"


def test_a_flow_that_never_interrupts_is_offered_when_there_is_nothing_to_interrupt() -> None:
    play = Play(build(a=A, b=B))
    play.say("потерян и счёт, и акт")
    assert play.labels == ["Счета", "Акты"]


CODES = [
    f"flow: Код {n}\ntriggers: [{{pattern: 'код (?P<к>[а-я]+){tail}'}}]\nfields: {{к: {{label: К, ask: К?}}}}\n"
    f"steps: [{{ask: к}}, {{say: '{n} {{{{ к }}}}'}}, {{end: готово}}]\n"
    for n, tail in (("первый", ""), ("второй", " .*"))
]


def test_what_a_pattern_caught_survives_the_question_which() -> None:
    play = Play(build(a=CODES[0], b=CODES[1]))
    play.say("код аа бб")
    assert play.press("Код второй") == ["второй аа"]


def test_the_first_message_ever_may_be_an_album() -> None:
    play = Play(build())
    play.say("", attachments=PHOTO, album="7")
    assert play.fire("pieces") == ["Здравствуйте! Это магазин «Север»."]


def test_thanks_with_a_file_is_a_file() -> None:
    play = Play(build(file="flow: Файл\ntriggers: [{event: file}]\nsteps: [{say: Получил файл.}, {end: файл}]"))
    play.say("привет")
    assert play.say("спасибо", attachments=PHOTO) == ["Получил файл."]


# --- questions of the engine's own -----------------------------------------------------------------------------------


def test_back_takes_back_the_question_about_interrupting() -> None:
    play = Play(build(**SHOP))
    play.say("двойное списание")
    play.say("Другое")
    assert play.say("вернуть товар") == [T("Interrupt “{title}”?", title="Вопрос по оплате")]
    assert play.say("назад") == ["ИНН вашей организации?"]
    assert play.value("тема") == "Другое"
    assert play.say("назад") == ["О чём вопрос?"]


@pytest.mark.parametrize(("answer", "last"), [("да", "О чём вопрос?"), ("нет", "Напишите номер заказа")])
def test_an_old_button_in_a_digression_asks_before_the_digression_is_lost(answer: str, last: str) -> None:
    play = Play(build(**SHOP))
    for text in ("двойное списание", "вернуть товар", "да"):
        play.say(text)
    assert play.happen(Press("9.9.9", "Часы работы")) == [T("Interrupt “{title}”?", title="Возврат товара")]
    assert play.say(answer)[-1].startswith(last)


# --- held messages ---------------------------------------------------------------------------------------------------

LOOKUP = """
flow: Поиск
triggers: [{words: [найди]}]
steps:
  - request: shop.get_order
    with: {number: "1", phone: "2"}
    save: заказ
    failed: [{say: Не отвечает.}, {end: сбой}]
  - choose: Что дальше?
    options: [{button: Показать, then: [{say: "{{ заказ.номер }}"}, {end: показан}]}, {button: Забыть, then: [{end: забыт}]}]
"""


@pytest.mark.parametrize(("status", "last"), [("failed", "Не понял вас."), ("ok", "777")])
def test_what_was_held_is_replayed_after_people_even_when_the_run_ends(status: str, last: str) -> None:
    play = Play(build(lookup=LOOKUP))
    play.say("найди")
    play.say("показать")
    play.say("оператор")
    suspended = play.conversation.talk.suspended
    assert suspended is not None
    play.conversation.session.owner = "queue"
    take = {"номер": "777", "дней_с_доставки": 1}
    assert play.happen(CallDone(suspended.pending, "failed" if status == "failed" else "ok", take)) == []
    play.conversation.session.owner = "bot"
    assert play.answer("returned")[-1] == last


# --- picking ---------------------------------------------------------------------------------------------------------

PICKS = """
flow: Данные
triggers: [{words: [мои данные]}]
fields:
  слова: {label: Слова, ask: Что скажете?}
  код: {label: Код, ask: Код?, pattern: '\\d{4}'}
  почта: {label: Почта, type: email, ask: Почта?}
  телефон: {label: Телефон, type: phone, ask: Телефон?}
steps:
  - ask: [слова, код, почта, телефон]
  - end: готово
"""


@pytest.mark.parametrize(
    ("said", "picked"),
    [
        ("пишите на 1234@b.ru", {"почта": "1234@b.ru"}),
        ("звоните 8-916-1234-567", {"телефон": "+79161234567"}),
        ("код 1234.", {"код": "1234"}),
        ("(1234), a@b.ru", {"код": "1234", "почта": "a@b.ru"}),
        ("1234 или 5678", {}),
        ("12.03.2024", {}),
        ("x1234", {}),
        ("1234", {}),
    ],
)
def test_only_whole_tokens_are_picked_out_of_an_answer(said: str, picked: dict[str, str]) -> None:
    play = Play(build(data=PICKS))
    play.say("мои данные")
    play.say(said)
    values = {name: play.value(name) for name in ("код", "почта", "телефон")}
    assert {name: value for name, value in values.items() if value} == picked
