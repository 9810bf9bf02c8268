"""Moves and codes that bring nothing, and what was said while a run was under way elsewhere: heard once, never lost."""

from __future__ import annotations

import msgspec
import pytest

from bot.book import Book
from core.effects import Call
from core.events import CallDone, Moved
from tests.bot.engine.play import DEPLOYMENT, Play, build
from tests.bot.engine.test_moving import CHANNELS, CODE, FORM, MENU, OTHER, Pair, photo


@pytest.fixture(scope="module")
def book() -> Book:
    return build(msgspec.structs.replace(DEPLOYMENT, channels=CHANNELS), form=FORM, other=OTHER, menu=MENU)


@pytest.fixture
def pair(book: Book) -> Pair:
    return Pair(book)


def until_call(play: Play) -> Call:
    """The form up to the call that it waits for."""
    play.say("заявка")
    play.say("Тверь")
    play.press("Брак")
    play.say("", **photo("f1"))
    (call,) = play.calls
    return call


def flows(play: Play) -> list[str]:
    """What is under way: the live run's flow, then the suspended one's."""
    talk = play.conversation.talk
    return [run.frames[0].flow for run in (talk.run, talk.suspended) if run is not None]


# --- nothing comes ---------------------------------------------------------------------------------------------------


def test_a_join_without_a_run_leaves_the_form_here_where_it_was(pair: Pair) -> None:
    pair.two.say("заявка")
    pair.two.say("Псков")
    said = pair.move()
    assert "узнаю вас и здесь" in said[0]
    assert said[1:] == ["Что случилось?"]
    assert pair.two.press("Брак") == ["Пришлите фото."]


def test_a_join_without_a_run_does_not_disturb_a_call_under_way(pair: Pair) -> None:
    call = until_call(pair.two)
    (said,) = pair.move()
    assert "узнаю вас и здесь" in said
    assert pair.two.happen(CallDone(call.key, "missing")) == []
    assert pair.two.outcomes == [("form", "нет")]


def test_nothing_that_comes_back_is_not_told(pair: Pair) -> None:
    pair.two.say("вопрос")
    assert pair.two.happen(Moved(1, "telegram", why="nothing", back=True)) == []
    assert flows(pair.two) == ["other"]
    assert pair.two.say("Где вы?") == ["Записал"]


# --- codes that did nothing ------------------------------------------------------------------------------------------


def test_who_is_known_gets_no_menu_after_a_refused_code(pair: Pair) -> None:
    pair.two.say("вопрос")
    pair.two.say("Где вы?")
    pair.two.say(CODE)
    (call,) = pair.two.calls
    (said,) = pair.two.happen(CallDone(call.key, "missing", {"why": "expired"}))
    assert "старше десяти минут" in said
    assert flows(pair.two) == []


def test_a_refused_code_asks_nothing_while_a_call_is_under_way(pair: Pair) -> None:
    pair.two.say(CODE)
    (code,) = pair.two.calls
    call = until_call(pair.two)
    (said,) = pair.two.happen(CallDone(code.key, "missing", {"why": "unknown"}))
    assert "Такого кода нет" in said
    pair.two.happen(CallDone(call.key, "missing"))
    assert pair.two.outcomes[-1] == ("form", "нет")


# --- what was said meanwhile -----------------------------------------------------------------------------------------


def test_what_was_said_to_a_run_put_aside_is_heard_where_it_goes_on(pair: Pair) -> None:
    """The form waits for its call, hears a word, is put aside by a form from elsewhere, and moves as the suspended one."""
    call = until_call(pair.one)
    assert pair.one.say("Где вы?") == []
    pair.two.say("заявка")
    pair.move(pair.two)
    assert flows(pair.one) == ["form", "form"]
    pair.one.happen(CallDone(call.key, "ok", {"номер": "7", "дней_с_доставки": 1, "статус": ""}))
    pair.two.say("вопрос")
    said = pair.move()
    assert said == [
        "Продолжаем здесь: «Заявка»",
        "Тверь, Брак, статус 7",
        "Вернёмся: «Вопрос»",
        "Что спросить?",
        "Записал",
    ]
    assert pair.two.outcomes == [("form", "собрана"), ("other", "записан")]


def test_a_run_put_aside_whose_call_is_still_under_way_waits_on_for_it(pair: Pair) -> None:
    call = until_call(pair.one)
    pair.two.say("заявка")
    pair.move(pair.two)
    pair.two.say("вопрос")
    assert pair.move() == ["Продолжаем здесь: «Заявка»"]
    pair.one.happen(CallDone(call.key, "missing"))
    assert pair.forward(pair.one) == ["Вернёмся: «Вопрос»", "Что спросить?"]
    assert pair.two.outcomes == [("form", "нет")]
