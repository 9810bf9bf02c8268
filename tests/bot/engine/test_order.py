"""One message, in the order of the flow language: buttons, system words, the waiting field, digressions, attempts."""

from __future__ import annotations

import pytest

from core.events import CallDone, Message, Opened, Press
from core.locale import texts
from core.messages import Attachment, Contact
from tests.bot.engine.play import BOT, NOW, Play, build
from tests.bot.engine.shop import SHOP

T = texts("ru")
BOOK = build(**SHOP)
ORDER = {"номер": "123456", "дней_с_доставки": 3}


def returning(reach: str = "описание") -> Play:
    """A return dialogue that waits at a question of order_return."""
    play = Play(BOOK)
    play.say("хочу вернуть товар")
    play.say("ORD-123456")
    play.say("8 912 345-67-89")
    play.done(**ORDER)
    if reach != "причина":
        play.press("Брак или поломка")
    return play


def billing() -> Play:
    play = Play(BOOK)
    play.say("двойное списание")
    return play


# --- the whole way ---------------------------------------------------------------------------------------------------


def test_a_form_is_filled_and_ends_with_a_ticket() -> None:
    play = returning()
    play.say("Крышка треснула в первый же день.")
    play.say("", attachments=(Attachment("photo", "f1"), Attachment("photo", "f2")))
    said = play.say("8 912 345-67-89")
    assert "Причина: Брак или поломка" in said[0]
    assert play.labels == [T("All correct"), T("Correct it")]
    said = play.press(T("All correct"))
    ticket = play.tickets[0]
    assert ticket.fields == {"Номер заказа": "123456", "Причина": "Брак или поломка", "Телефон": "+79123456789"}
    assert ticket.files == ("f1", "f2")
    assert ticket.private == ("Телефон",)
    assert not ticket.wait
    assert said == [f"Готово! Заявка {ticket.number} создана, ответим в течение дня."]
    assert play.outcomes[-1] == ("order_return", "заявка создана")
    assert play.conversation.talk.run is None
    assert play.client["phone"] == "+79123456789"


def test_arguments_are_not_changed() -> None:
    play = returning()
    before = play.conversation
    copy = repr(before)
    play.say("Крышка треснула в первый же день.")
    play.say("назад")
    assert repr(before) == copy


# --- 0. owner --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("owner", ["queue", "operator"])
def test_the_bot_is_silent_while_people_own_the_session(owner: str) -> None:
    play = returning()
    play.conversation.session.owner = owner  # type: ignore[assignment]
    for event in (
        Message("отмена"),
        Message("меню"),
        Press(play.buttons["Не подошло"]),
        Opened(),
        Opened("возврат-qr"),
    ):
        assert play.happen(event) == []
        assert not play.handed
    assert play.state == "ask.описание"


# --- 1. buttons ------------------------------------------------------------------------------------------------------


def test_tokens_are_short_and_never_names() -> None:
    play = returning("причина")
    tokens = [button.token for row in play.sent[-1].rows for button in row]
    assert all(len(token.encode()) <= 20 and token.replace(".", "").isdecimal() for token in tokens)
    assert len(set(tokens)) == len(tokens) == 3


def test_an_old_button_in_reach_goes_back_and_acts() -> None:
    play = returning()
    play.say("Крышка треснула в первый же день.")
    said = play.press("Не подошло")
    assert play.value("причина") == "Не подошло"
    assert play.value("описание") is None
    assert said == ["Опишите, что случилось."]
    assert play.why("back")


def test_an_old_button_of_a_finished_run_is_out_of_date() -> None:
    play = returning("причина")
    play.say("отмена")
    assert play.press("Не подошло") == [T("This button is out of date.")]


def test_an_old_button_of_a_finished_run_is_out_of_date_and_the_question_is_asked_again() -> None:
    play = returning("причина")
    old = play.buttons["Не подошло"]
    play.say("отмена")
    play.say("двойное списание")
    assert play.happen(Press(old, "Не подошло")) == [T("This button is out of date."), "О чём вопрос?"]
    assert play.state == "ask.тема"


def test_a_stale_button_whose_label_is_a_trigger_starts_that_flow() -> None:
    play = Play(BOOK)
    assert play.happen(Press("7.123.0", "Вернуть товар")) == ["Напишите номер заказа. Он есть в письме о покупке."]


def test_a_stale_trigger_button_over_a_run_asks_first() -> None:
    play = returning("причина")
    assert play.happen(Press("junk", "Вопрос по оплате")) == [T("Interrupt “{title}”?", title="Возврат товара")]
    assert play.press(T("Yes")) == ["О чём вопрос?"]


@pytest.mark.parametrize("token", ["", "1", "1.2", "a.b.c", "1.2.3.4", "9" * 40, "0.99.0", "1.5.77", "٣.١.١"])
def test_tokens_that_mean_nothing_are_out_of_date(token: str) -> None:
    play = returning("причина")
    assert play.happen(Press(token)) == [T("This button is out of date."), "Почему возвращаете?"]


def test_a_button_of_the_waiting_question_with_a_number_that_is_not_there() -> None:
    play = returning("причина")
    token = play.buttons["Не подошло"].rsplit(".", 1)[0] + ".9"
    assert play.happen(Press(token))[0] == T("This button is out of date.")


def test_a_button_of_the_interrupted_run_ends_the_digression() -> None:
    play = returning("причина")
    play.say("двойное списание")
    play.press(T("Yes"))
    assert play.state == "ask.тема"
    assert play.press("Не подошло") == ["Опишите, что случилось."]
    assert play.conversation.talk.suspended is None
    assert ("billing", T("cancelled")) in play.outcomes


# --- 2. system words -------------------------------------------------------------------------------------------------


def test_cancel_ends_the_run() -> None:
    play = returning()
    assert play.say("Отмена!") == [T("Cancelled.")]
    assert play.outcomes[-1] == ("order_return", T("cancelled"))
    assert play.say("отмена") == [T("There is nothing to cancel.")]


def test_menu_is_cancel_and_welcome() -> None:
    play = returning()
    assert play.say("меню") == ["Здравствуйте! Это магазин «Север»."]
    assert ("order_return", T("cancelled")) in play.outcomes


def test_menu_ends_the_interrupted_run_too() -> None:
    play = returning()
    play.happen(Press("junk", "Вопрос по оплате"))
    play.press(T("Yes"))
    assert play.say("меню") == ["Здравствуйте! Это магазин «Север»."]
    assert play.conversation.talk.suspended is None
    assert [flow for flow, _ in play.outcomes] == ["billing", "order_return", "menu"]


def test_operator_hands_over_with_what_was_collected_and_comes_back() -> None:
    play = returning()
    assert play.say("позовите человека") == ["Зову человека."]
    assert play.handed[0].line == "support"
    assert "Причина: Брак или поломка" in play.handed[0].note
    said = play.answer("returned")
    assert said == [T("Back to: “{title}”", title="Возврат товара"), "Опишите, что случилось."]


def test_operator_asked_twice_does_not_pile_up() -> None:
    play = Play(BOOK)
    play.say("оператор")
    run = play.conversation.talk.runs
    play.say("оператор")
    assert play.conversation.talk.runs == run
    assert play.handed


def test_back_restores_the_question_before() -> None:
    play = returning()
    assert play.say("назад") == ["Почему возвращаете?"]
    assert play.value("причина") is None
    assert play.state == "ask.причина"


def test_back_crosses_calls_of_services_that_only_read() -> None:
    play = returning("причина")
    assert play.say("назад") == ["На какой телефон оформлен заказ?"]
    assert play.say("назад") == ["Напишите номер заказа. Он есть в письме о покупке."]
    assert play.say("назад") == [
        T("You cannot go back any further."),
        "Напишите номер заказа. Он есть в письме о покупке.",
    ]


def test_back_without_a_run() -> None:
    assert Play(BOOK).say("назад") == [T("You cannot go back any further.")]


def test_commands_are_system_words_too() -> None:
    play = returning()
    assert play.say("/cancel", command="/cancel") == [T("Cancelled.")]


FEEDBACK = """
flow: Отзыв
triggers: [{words: [оставить отзыв]}]
fields:
  имя: {label: Имя, ask: "Как вас зовут?", optional: true}
  ответ: {label: Ответ, type: choice, ask: "Что выберете?", options: [Отмена, {button: Другое, words: [меню]}]}
  всё: {label: Всё, ask: "Что ещё?"}
steps:
  - ask: [имя, ответ, всё]
  - end: готово
"""


def test_skip_acts_on_an_optional_field_only() -> None:
    play = Play(build(feedback=FEEDBACK))
    play.say("оставить отзыв")
    assert play.labels == [T("Skip")]
    assert play.say("не знаю") == ["Что выберете?"]
    assert play.value("имя") is None
    play.say("Другое")
    play.say("не знаю")
    assert play.outcomes[-1] == ("feedback", "готово")


def test_the_skip_button_skips() -> None:
    play = Play(build(feedback=FEEDBACK))
    play.say("оставить отзыв")
    assert play.press(T("Skip")) == ["Что выберете?"]


def test_an_option_equal_to_a_system_word_wins() -> None:
    play = Play(build(feedback=FEEDBACK))
    play.say("оставить отзыв")
    play.say("пропустить")
    assert play.say("отмена") == ["Что ещё?"]
    assert play.value("ответ") == "Отмена"
    play.say("назад")
    assert play.say("меню") == ["Что ещё?"]
    assert play.value("ответ") == "Другое"


STATUS = """
flow: Статус
triggers: [{command: /status}]
steps:
  - say: Всё работает.
  - end: показан
"""


def test_a_command_of_a_flow_is_a_digression() -> None:
    play = Play(build(status=STATUS, **SHOP))
    play.say("двойное списание")
    assert play.say("/status", command="/status") == [
        "Всё работает.",
        T("Back to: “{title}”", title="Вопрос по оплате"),
        "О чём вопрос?",
    ]


def test_a_command_in_the_middle_of_a_text_field_is_a_digression_too() -> None:
    play = Play(build(status=STATUS, **SHOP))
    play.say("двойное списание")
    play.say("Другое")
    play.say("7707083893")
    assert play.say("/status", command="/status")[0] == "Всё работает."
    play.say("/nothing", command="/nothing")
    assert "/nothing" in play.handed[0].note


def test_a_command_starts_its_flow() -> None:
    assert Play(build(status=STATUS)).say("/status", command="/status") == ["Всё работает."]


# --- 3. a remote call is running -------------------------------------------------------------------------------------


def asking_shop() -> Play:
    play = Play(BOOK)
    play.say("хочу вернуть товар")
    play.say("ORD-123456")
    play.say("8 912 345-67-89")
    return play


def test_messages_are_held_while_a_call_runs_and_replayed_after() -> None:
    play = asking_shop()
    assert play.say("Не подошло") == []
    assert play.say("назад") == []
    assert play.say("Привезли не то") == []
    said = play.done(**ORDER)
    assert said == ["Почему возвращаете?", "Опишите, что случилось.", "Почему возвращаете?", "Опишите, что случилось."]
    assert play.value("причина") == "Привезли не то"


def test_pressed_buttons_are_held_too() -> None:
    play = asking_shop()
    assert play.happen(Press("junk", "")) == []
    assert play.done(**ORDER) == ["Почему возвращаете?", T("This button is out of date."), "Почему возвращаете?"]


def test_cancel_acts_while_a_call_runs_and_the_result_is_void() -> None:
    play = asking_shop()
    assert play.conversation.talk.run is not None
    key = play.conversation.talk.run.pending
    play.say("отмена")
    assert play.happen(CallDone(key, "ok", ORDER)) == []
    assert play.conversation.talk.run is None


def test_operator_acts_while_a_call_runs_and_the_result_is_not_lost() -> None:
    play = asking_shop()
    assert play.conversation.talk.run is not None
    key = play.conversation.talk.run.pending
    play.say("оператор")
    assert play.handed
    assert play.happen(CallDone(key, "ok", ORDER)) == []
    said = play.answer("returned")
    assert said == [T("Back to: “{title}”", title="Возврат товара"), "Почему возвращаете?"]


def test_back_from_a_digression_while_the_call_still_runs() -> None:
    play = asking_shop()
    play.say("оператор")
    assert play.answer("returned") == [T("Back to: “{title}”", title="Возврат товара")]
    assert play.done(**ORDER) == ["Почему возвращаете?"]


def test_at_most_twenty_messages_are_held() -> None:
    play = asking_shop()
    for n in range(30):
        play.say(f"сообщение {n}")
    assert play.conversation.talk.run is not None
    assert len(play.conversation.talk.run.held) == 20


# --- 4. the waiting field --------------------------------------------------------------------------------------------


def test_a_typed_label_a_number_and_a_word_answer_a_choice() -> None:
    for text in ("не подошло", "3", "Не подошло."):
        play = returning("причина")
        play.say(text)
        assert play.value("причина") == "Не подошло"


def test_a_plain_text_field_takes_other_flows_words() -> None:
    play = returning()
    play.say("У меня двойное списание и часы работы не указаны")
    assert play.value("описание") == "У меня двойное списание и часы работы не указаны"


def test_an_exact_button_label_in_a_plain_text_field_is_asked_about() -> None:
    play = returning()
    assert play.say("Вопрос по оплате") == [T("Interrupt “{title}”?", title="Возврат товара")]
    assert play.say("нет") == ["Опишите, что случилось."]
    play.say("Вопрос по оплате")
    assert play.value("описание") == "Вопрос по оплате"


def test_the_question_about_interrupting_can_be_answered_with_an_answer() -> None:
    play = returning()
    play.say("Часы работы")
    play.say("Крышка треснула в первый же день.")
    assert play.value("описание") == "Крышка треснула в первый же день."


def test_a_verified_phone_is_not_replaced_by_a_typed_one() -> None:
    play = returning()
    play.client.update({"phone": "+79990000000", "verified": ["phone"]})
    play.say("Крышка треснула в первый же день.")
    play.say("", attachments=(Attachment("photo", "f1"),))
    assert play.client["phone"] == "+79990000000"


def test_a_contact_of_ones_own_is_verified() -> None:
    play = returning()
    play.say("Крышка треснула в первый же день.")
    play.say("", attachments=(Attachment("photo", "f1"),))
    play.say("", contact=Contact("+79161112233", own=True))
    assert play.client["phone"] == "+79161112233"
    assert play.client["verified"] == ["phone"]


# --- 5. digressions --------------------------------------------------------------------------------------------------


def test_a_flow_that_only_answers_interrupts_at_once() -> None:
    play = returning("причина")
    assert play.say("когда вы открыты?") == [
        "Мы работаем с 9 до 18.",
        T("Back to: “{title}”", title="Возврат товара"),
        "Почему возвращаете?",
    ]
    run = play.conversation.talk.run
    assert run is not None
    assert run.frames[0].attempts == 0


def test_other_flows_ask_before_they_interrupt() -> None:
    play = returning("причина")
    assert play.say("двойное списание") == [T("Interrupt “{title}”?", title="Возврат товара")]
    assert play.labels == [T("Yes"), T("No")]
    assert play.press(T("No")) == ["Почему возвращаете?"]
    play.say("двойное списание")
    assert play.say("да") == ["О чём вопрос?"]
    assert play.conversation.talk.suspended is not None


def test_attempts_survive_a_digression() -> None:
    play = returning("причина")
    play.say("абвгд")
    play.say("абвгд")
    play.say("часы работы")
    play.say("абвгд")
    assert play.handed, "the third wrong answer leads to people"


def test_digressions_have_depth_one() -> None:
    play = returning("причина")
    play.say("двойное списание")
    play.say("да")
    said = play.say("хочу вернуть товар")
    assert "О чём вопрос?" in said[0]
    assert play.conversation.talk.runs == 2


def test_cancel_in_a_digression_comes_back() -> None:
    play = returning("причина")
    play.say("двойное списание")
    play.say("да")
    assert play.say("отмена") == [
        T("Cancelled."),
        T("Back to: “{title}”", title="Возврат товара"),
        "Почему возвращаете?",
    ]


def test_the_own_flow_does_not_interrupt_itself() -> None:
    play = returning("причина")
    assert "Почему возвращаете?" in play.say("вернуть товар")[0]
    assert play.conversation.talk.runs == 1


def test_interrupts_of_the_interrupting_flow_rule() -> None:
    never = SHOP["hours"].replace("flow: Часы работы", "flow: Часы работы\ninterrupts: never")
    play = Play(build(**{**SHOP, "hours": never}))
    play.say("двойное списание")
    assert "О чём вопрос?" in play.say("часы работы")[0]
    confirm = SHOP["hours"].replace("flow: Часы работы", "flow: Часы работы\ninterrupts: confirm")
    play = Play(build(**{**SHOP, "hours": confirm}))
    play.say("двойное списание")
    assert play.say("часы работы") == [T("Interrupt “{title}”?", title="Вопрос по оплате")]
    at_once = SHOP["order_return"].replace("flow: Возврат товара", "flow: Возврат товара\ninterrupts: at_once")
    play = Play(build(**{**SHOP, "order_return": at_once}))
    play.say("двойное списание")
    assert play.say("вернуть товар") == ["Напишите номер заказа. Он есть в письме о покупке."]


AGREE = """
flow: Счета
triggers: [{words: [счёт потерян]}]
steps: [{say: Счета.}, {end: счета}]
"""
AGREE_TOO = """
flow: Акты
triggers: [{words: [акт потерян]}]
steps: [{say: Акты.}, {end: акты}]
"""


def test_two_flows_that_fit_equally_are_asked_about() -> None:
    play = Play(build(a=AGREE, b=AGREE_TOO))
    assert play.say("потерян и счёт, и акт") == [T("Please choose what you mean:")]
    assert play.labels == ["Счета", "Акты"]
    assert play.press("Акты") == ["Акты."]


def test_two_flows_that_fit_equally_in_the_middle_of_a_form() -> None:
    play = Play(build(a=AGREE, b=AGREE_TOO, **SHOP))
    play.say("двойное списание")
    assert play.say("потерян и счёт, и акт") == [T("Please choose what you mean:")]
    assert play.say("1")[0] == "Счета."
    assert play.state == "ask.тема"


def test_the_question_which_is_taken_back_by_anything_else() -> None:
    play = Play(build(a=AGREE, b=AGREE_TOO))
    play.say("потерян и счёт, и акт")
    assert play.say("абракадабра") == ["Не понял вас."]
    assert play.conversation.talk.asking == {}


# --- 6. attempts -----------------------------------------------------------------------------------------------------


def test_wrong_answers_repeat_the_question_with_an_example() -> None:
    play = Play(BOOK)
    play.say("вернуть товар")
    said = play.say("не помню")
    assert len(said) == 1
    assert "Напишите номер заказа." in said[0]
    assert T("For example: {example}", example="ORD-123456") in said[0]


def test_three_wrong_answers_lead_to_people() -> None:
    play = Play(BOOK)
    play.say("вернуть товар")
    play.say("раз")
    play.say("два")
    assert play.say("три") == ["Зову человека."]
    assert play.handed[0].line == "support"
    assert [r.data["attempt"] for r in play.records if r.kind == "wrong"] == [1, 2, 3]
    said = play.answer("returned")
    assert said == ["Напишите номер заказа. Он есть в письме о покупке."]
    assert len(play.say("снова не то")) == 1, "fresh attempts"
    assert not play.handed


OWN_LIMIT = """
flow: Код
triggers: [{words: [ввести код]}]
fields:
  код:
    label: Код
    type: number
    ask: Какой код?
    attempts: 2
    wrong: [Код — это число., Совсем не число.]
    check:
      - must: value > 10
        else: "{{ value }} мало."
    too_many:
      - say: Хватит.
steps:
  - ask: код
  - end: готово
"""


def test_a_field_has_its_own_words_attempts_and_too_many() -> None:
    play = Play(build(code=OWN_LIMIT))
    play.say("ввести код")
    assert play.say("ой") == ["Код — это число.\nКакой код?"]
    assert play.say("ой") == ["Хватит.", "Какой код?"]
    assert play.say("5") == ["5 мало.\nКакой код?"]
    assert play.say("11") == []
    assert play.outcomes[-1] == ("code", "готово")


def test_a_rule_of_the_author_is_no_reason_for_a_digression() -> None:
    play = Play(
        build(code=OWN_LIMIT, five='flow: Пять\ntriggers: [{exact: ["5"]}]\nsteps: [{say: Пять!}, {end: пять}]')
    )
    play.say("ввести код")
    assert play.say("5") == ["5 мало.\nКакой код?"]


# --- no run ----------------------------------------------------------------------------------------------------------


def test_the_first_message_ever_greets_once() -> None:
    play = Play(BOOK)
    assert play.say("что-то") == ["Здравствуйте! Это магазин «Север»."]
    assert play.say("что-то") == ["Не понял вас."]
    assert [r.data["text"] for r in play.records if r.kind == "uncaught"] == ["что-то"]


def test_a_typo_is_forgiven_when_nothing_else_fits() -> None:
    assert Play(BOOK).say("вернть товар") == ["Напишите номер заказа. Он есть в письме о покупке."]


def test_thanks_restart_nothing() -> None:
    play = Play(BOOK)
    play.say("привет")
    assert play.say("Спасибо!") == [T("You are welcome!")]
    assert play.conversation.talk.runs == 1
    book = build(_bot=BOT.rstrip() + "\n  thanks: Обращайтесь!\n")
    play = Play(book)
    play.say("привет")
    assert play.say("спасибо") == ["Обращайтесь!"]


def test_deep_links_and_start() -> None:
    play = Play(BOOK)
    assert play.happen(Opened("vozvrat-qr")) == ["Напишите номер заказа. Он есть в письме о покупке."]
    assert play.happen(Opened()) == ["Напишите номер заказа. Он есть в письме о покупке."]
    assert Play(BOOK).happen(Opened()) == ["Здравствуйте! Это магазин «Север»."]
    play = Play(BOOK)
    play.say("двойное списание")
    assert play.happen(Opened("возврат-qr")) == [T("Interrupt “{title}”?", title="Вопрос по оплате")]


def test_start_while_a_call_runs_waits() -> None:
    play = asking_shop()
    assert play.happen(Opened()) == []


def test_answers_are_picked_out_of_the_first_message() -> None:
    play = Play(BOOK)
    play.say("хочу вернуть заказ")
    assert play.state == "ask.номер_заказа"
    find = SHOP["find_order"].replace("gives: [заказ]", "gives: [заказ]\ntriggers: [{words: [найти заказ]}]")
    play = Play(build(**{**SHOP, "find_order": find}))
    assert play.say("найти заказ ORD-123456, телефон 8 912 345-67-89") == []
    assert play.calls[0].params == {"number": "123456", "phone": "+79123456789"}


def test_groups_of_a_pattern_fill_fields() -> None:
    find = SHOP["find_order"].replace(
        "gives: [заказ]", "gives: [заказ]\ntriggers: [{pattern: 'заказ\\s+(?P<номер_заказа>\\d{6,8})'}]"
    )
    play = Play(build(**{**SHOP, "find_order": find}))
    assert play.say("где мой заказ 654321?") == ["На какой телефон оформлен заказ?"]
    assert play.value("номер_заказа") == "654321"


def test_a_known_answer_is_not_asked() -> None:
    play = Play(BOOK, {"inn": "7707083893"})
    play.say("двойное списание")
    assert play.say("Другое") == ["Опишите вопрос и, если есть, номер счёта."]


def test_private_values_are_not_in_the_trace() -> None:
    play = Play(BOOK)
    play.say("вернуть товар")
    play.say("ORD-123456")
    play.say("8 912 345-67-89")
    assert "912" not in repr(play.trace)
    assert "912" not in repr(play.records)


def test_events_of_files_and_contacts_start_flows() -> None:
    file = "flow: Файл\ntriggers: [{event: file}]\nsteps: [{say: Получил файл.}, {end: файл}]"
    contact = "flow: Контакт\ntriggers: [{event: contact}]\nsteps: [{say: Получил контакт.}, {end: контакт}]"
    play = Play(build(file=file, contact=contact))
    play.say("привет")
    assert play.say("", attachments=(Attachment("file", "f1"),)) == ["Получил файл."]
    assert play.say("", contact=Contact("+79161112233")) == ["Получил контакт."]


def test_an_event_with_where_counts_only_when_it_holds() -> None:
    message = 'flow: Любое\ntriggers: [{event: message, where: message.text == "да"}]\nsteps: [{say: Да.}, {end: да}]'
    play = Play(build(any=message))
    play.say("привет")
    assert play.say("да") == ["Да."]
    assert play.say("нет") == ["Не понял вас."]
    assert play.now == NOW
