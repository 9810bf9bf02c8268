"""`confirm`: the summary, mending one answer, and the walk back that asks nothing it knows."""

from __future__ import annotations

from core.locale import texts
from core.messages import Attachment
from tests.bot.engine.play import Play, build
from tests.bot.engine.shop import SHOP

T = texts("ru")
GOOD, MEND = T("All correct"), T("Correct it")

FORM = """
flow: Анкета
triggers: [{words: [заполнить анкету]}]
fields:
  имя: {label: Имя, ask: "Имя?"}
  сорт: {label: Сорт, type: choice, ask: "Сорт?", options: [Чай, Кофе]}
  сахар: {label: Сахар, type: yes_no, ask: "Сахар?"}
  номер: {label: Номер, type: number, ask: "Номер?"}
steps:
  - ask: [имя, сорт]
  - if: сорт == "Кофе"
    then:
      - ask: сахар
  - choose: Куда?
    options:
      - button: Домой
      - button: В офис
        then:
          - say: Везём в офис.
  - request: shop.get_order
    with: {number: "{{ имя }}", phone: "1"}
    save: заказ
  - call: inner
    with: {кто: "{{ имя }}"}
  - confirm: [имя, сорт]
  - end: готово
"""
INNER = """
flow: Внутри
takes: {кто: {type: text}}
fields:
  цвет: {label: Цвет, ask: "Цвет для {{ кто }}?"}
steps:
  - ask: цвет
  - end: спросили
"""
BOOK = build(form=FORM, inner=INNER)


def filled() -> Play:
    play = Play(BOOK)
    for text in ("заполнить анкету", "Аня", "Чай", "В офис"):
        play.say(text)
    play.done(номер="1", дней_с_доставки=2)
    assert play.say("синий") == [T("Please check:") + "\nИмя: Аня\nСорт: Чай"]
    return play


def test_the_summary_and_its_two_buttons() -> None:
    play = filled()
    assert play.labels == [GOOD, MEND]
    play.say("да")
    assert play.outcomes[-1] == ("form", "готово")


def test_mending_asks_again_and_walks_on_without_questions() -> None:
    play = filled()
    assert play.press(MEND) == [T("What shall we correct?")]
    assert play.labels == ["Имя", "Сорт"]
    assert play.press("Сорт") == ["Сорт?"]
    assert play.say("чай") == ["Везём в офис.", T("Please check:") + "\nИмя: Аня\nСорт: Чай"]


def test_a_changed_answer_may_open_a_branch() -> None:
    play = filled()
    play.press(MEND)
    play.press("Сорт")
    assert play.say("кофе") == ["Сахар?"]
    assert play.say("нет") == ["Везём в офис.", T("Please check:") + "\nИмя: Аня\nСорт: Кофе"]


def test_calls_with_other_inputs_are_made_again() -> None:
    play = filled()
    play.press(MEND)
    play.press("Имя")
    assert play.say("Оля") == ["Везём в офис."]
    assert play.calls[0].params["number"] == "Оля"
    assert play.done(номер="1", дней_с_доставки=2) == ["Цвет для Оля?"]
    assert play.say("красный") == [T("Please check:") + "\nИмя: Оля\nСорт: Чай"]


def test_back_from_mending_shows_the_summary() -> None:
    play = filled()
    play.press(MEND)
    play.press("Имя")
    assert play.say("назад") == [T("What shall we correct?")]
    assert play.say("назад") == [T("Please check:") + "\nИмя: Аня\nСорт: Чай"]


def test_wrong_answers_to_a_summary_count() -> None:
    play = filled()
    assert play.say("абвгд")[0].startswith("Не получилось разобрать ответ.\n")
    play.press(MEND)
    assert play.say("абвгд")[0].startswith("Не получилось разобрать ответ.\n")
    play.say("абвгд")
    play.say("абвгд")
    assert play.handed
    assert play.answer("returned")[0].startswith(T("Please check:"))


def test_wrong_answers_while_mending_lead_to_people_and_back_to_the_question() -> None:
    play = filled()
    play.press(MEND)
    play.press("Сорт")
    for _ in range(3):
        play.say("абвгд")
    assert play.handed
    assert play.answer("returned") == ["Сорт?"]
    play.say("кофе")
    assert play.say("да")[-1].startswith(T("Please check:"))


ONE = """
flow: Одно
triggers: [{words: [спроси одно]}]
fields:
  имя: {label: Имя, ask: "Имя?"}
steps:
  - ask: имя
  - confirm: [имя]
  - end: готово
"""


def test_a_single_field_is_mended_at_once() -> None:
    play = Play(build(one=ONE))
    play.say("спроси одно")
    play.say("Аня")
    assert play.say("нет") == ["Имя?"]
    assert play.say("Оля") == [T("Please check:") + "\nИмя: Оля"]


def test_mending_ten_times_leads_to_people() -> None:
    play = Play(build(one=ONE))
    play.say("спроси одно")
    play.say("Аня")
    for _ in range(12):
        if play.handed:
            break
        play.say("исправить")
        if not play.handed:
            play.say("Оля")
    assert play.handed


TWICE = """
flow: Дважды
triggers: [{words: [спроси дважды]}]
fields:
  имя: {label: Имя, ask: "Имя?"}
  фото: {label: Фото, type: photo, ask: "Фото?"}
steps:
  - ask: имя
  - ticket: returns
    title: "{{ имя }}"
    save: заявка
  - step: снова
    ask: [имя, фото]
  - confirm: [имя, фото]
  - choose: Ещё раз?
    options:
      - button: Да
        then: [{goto: снова}]
      - button: Нет
  - ticket: returns
    title: "{{ имя }}"
    attach: [фото]
    save: заявка
  - end: готово
"""


def test_the_question_that_stored_the_answer_is_the_one_asked_again() -> None:
    play = Play(build(twice=TWICE))
    play.say("спроси дважды")
    play.say("Аня")
    assert play.say("", attachments=(Attachment("photo", "f1"),))[0].startswith(T("Please check:"))
    play.press(MEND)
    play.press("Имя")
    play.say("Оля")
    assert len(play.tickets) == 1, "a ticket on the way is not created again"
    play.say("верно")
    assert play.say("да") == ["Имя?"], "a later entry asks all"
    play.say("Ира")
    play.say("", attachments=(Attachment("photo", "f2"),))
    play.say("верно")
    play.say("нет")
    assert [ticket.title for ticket in play.tickets] == ["Аня", "Ира"]
    assert play.tickets[1].files == ("f2",)
    assert play.tickets[0].key != play.tickets[1].key


DATES = """
flow: Дата
triggers: [{words: [выбрать дату]}]
fields:
  день: {label: День, type: date, ask: "Какой день?", optional: true}
  код: {label: Код, pattern: '\\d{6}', ask: "Код?"}
  слова: {label: Слова, ask: "Слова?"}
steps:
  - ask: день
  - ask: [слова, код]
  - end: готово
"""


def test_an_unclear_answer_is_asked_back_without_an_attempt() -> None:
    play = Play(build(dates=DATES))
    play.say("выбрать дату")
    said = play.say("05.03")
    if play.state == "ask.день":
        assert play.labels[-1] == T("Skip")
        assert play.say(play.labels[0]) == ["Слова?"], said
    assert play.value("день")
    assert not [r for r in play.records if r.kind == "wrong"]


def test_neighbours_are_picked_out_of_an_answer() -> None:
    play = Play(build(dates=DATES))
    play.say("выбрать дату")
    play.say("пропустить")
    play.say("мой код 123456, запомните")
    assert play.outcomes[-1] == ("dates", "готово")
    assert play.conversation.talk.run is None


def test_two_tokens_for_one_field_are_not_picked() -> None:
    play = Play(build(dates=DATES))
    play.say("выбрать дату")
    play.say("пропустить")
    assert play.say("то ли 123456, то ли 654321") == ["Код?"]


def test_the_whole_answer_is_never_picked_again() -> None:
    play = Play(build(dates=DATES))
    play.say("выбрать дату")
    play.say("пропустить")
    assert play.say("123456") == ["Код?"]


def test_shop_mending_of_a_field_known_from_the_card() -> None:
    play = Play(build(**SHOP), {"phone": "+79991112233"})
    play.say("вернуть товар")
    play.say("123456")
    play.done(номер="123456", дней_с_доставки=3)
    play.say("3")
    summary = play.say("Просто не подошёл размер.")
    assert "+7 999" in summary[0] or "+7999" in summary[0]
    play.press(MEND)
    assert play.press("Телефон") == ["По какому телефону с вами связаться?"]
    assert play.say("8 912 345-67-89")[0].startswith(T("Please check:"))
