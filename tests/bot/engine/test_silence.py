"""Silence and pieces: one timer with each question, late timers void, messages sent apart joined."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.effects import StartTimer, StopTimer
from core.events import Press, TimerFired
from core.locale import texts
from core.messages import Attachment
from tests.bot.engine.play import BOT, Play, build
from tests.bot.engine.shop import SHOP

T = texts("ru")
BOOK = build(**SHOP)


def billing() -> Play:
    play = Play(BOOK)
    play.say("двойное списание")
    return play


def test_a_question_sets_the_timer_from_its_delivery() -> None:
    play = billing()
    timer = play.timers["silence"]
    assert timer.seconds == 15 * 60
    assert timer.from_delivery
    assert sum(isinstance(effect, StartTimer) for effect in play.effects) == 1


def test_an_answer_sets_it_anew_and_the_end_stops_it() -> None:
    play = billing()
    first = play.timers["silence"].data
    play.say("Другое")
    assert play.timers["silence"].data["question"] != first["question"]
    play.say("отмена")
    assert "silence" not in play.timers
    play.say("привет")
    assert not any(isinstance(effect, StopTimer) for effect in play.effects), "nothing to stop"


def test_the_stages_of_silence() -> None:
    play = billing()
    assert play.fire("silence") == ["Вы ещё здесь? О чём вопрос?"]
    assert play.timers["silence"].seconds == 24 * 3600 - 15 * 60
    assert play.state == "ask.тема"
    assert play.fire("silence") == []
    assert play.outcomes[-1] == ("billing", "клиент замолчал")
    assert "silence" not in play.timers


def test_a_late_timer_of_a_finished_question_is_void() -> None:
    play = billing()
    late = play.timers["silence"]
    play.say("Другое")
    assert play.happen(TimerFired("silence", late.data)) == []
    assert play.why("void")
    assert play.happen(TimerFired("silence", {})) == []
    play.say("отмена")
    assert play.happen(TimerFired("silence", late.data)) == []


def test_silence_is_nothing_while_people_own_the_session() -> None:
    play = billing()
    play.conversation.session.owner = "operator"
    assert play.fire("silence") == []
    assert play.state == "ask.тема"


def test_after_a_start_only_the_latest_overdue_stage_fires() -> None:
    play = billing()
    play.starting = True
    play.now += timedelta(hours=30)
    timer = play.timers["silence"]
    assert play.happen(TimerFired("silence", timer.data)) == []
    assert play.outcomes[-1] == ("billing", "клиент замолчал")


def test_after_a_start_a_stage_that_is_not_yet_due_waits() -> None:
    play = billing()
    play.starting = True
    play.now += timedelta(minutes=20)
    assert play.happen(TimerFired("silence", play.timers["silence"].data)) == ["Вы ещё здесь? О чём вопрос?"]


def test_silence_in_a_digression_ends_the_interrupted_run_too() -> None:
    play = Play(BOOK)
    play.say("вернуть товар")
    play.happen(Press("junk", "Вопрос по оплате"))
    play.say("да")
    play.fire("silence")
    play.fire("silence")
    assert play.conversation.talk.run is None
    assert play.conversation.talk.suspended is None
    assert [outcome for _, outcome in play.outcomes] == ["клиент замолчал", "клиент замолчал"]


CALLING = BOT.replace("    - after: 24h\n      end: клиент замолчал", "    - after: 1h\n      call: to_operator")


def test_a_stage_may_call_a_flow_and_then_the_question_is_asked_again() -> None:
    play = Play(build(_bot=CALLING, **SHOP))
    play.say("двойное списание")
    play.fire("silence")
    assert play.fire("silence") == ["Зову человека."]
    assert play.handed
    assert "silence" not in play.timers
    assert play.answer("returned") == ["О чём вопрос?"]


WITH_QUESTION = """
flow: Позвать оператора
fields:
  тема: {label: Тема, ask: "О чём?"}
steps:
  - ask: тема
  - handoff: support
  - end: передано людям
"""


def test_inside_the_operator_flow_silence_queues_instead_of_calling() -> None:
    play = Play(build(_bot=CALLING, to_operator=WITH_QUESTION))
    play.say("оператор")
    play.fire("silence")
    play.fire("silence")
    assert play.handed[0].line == "support"
    assert play.answer("returned") == ["О чём?"]


def test_no_timer_without_a_policy_of_silence() -> None:
    bot = BOT[: BOT.index("  silence:")]
    play = Play(build(_bot=bot, **SHOP))
    play.say("двойное списание")
    assert "silence" not in play.timers


# --- pieces ----------------------------------------------------------------------------------------------------------

PAUSE = build(_bot=BOT.rstrip() + "\n  pause: 2s\n", **SHOP)


def describing(play: Play) -> Play:
    play.say("двойное списание")
    play.say("Другое")
    play.say("7707083893")
    return play


def test_pieces_of_a_text_are_joined_after_a_pause() -> None:
    play = describing(Play(PAUSE))
    assert play.say("Здравствуйте") == []
    assert play.timers["pieces"].seconds == 2
    assert play.say("счёт 18") == []
    play.fire("pieces")
    assert "Здравствуйте\nсчёт 18" in play.handed[0].note


def test_a_system_word_flushes_the_pieces_first() -> None:
    play = describing(Play(PAUSE))
    play.say("Здравствуйте")
    play.say("назад")
    assert play.handed, "the piece was the answer"
    assert "pieces" not in play.timers


def test_a_button_flushes_the_pieces_first() -> None:
    play = describing(Play(PAUSE))
    play.say("Здравствуйте")
    play.press("Другое")
    assert play.handed


def test_a_takeover_drops_the_pieces_for_the_bot() -> None:
    play = describing(Play(PAUSE))
    play.say("Здравствуйте")
    play.conversation.session.owner = "operator"
    assert play.say("вы тут?") == []
    assert play.happen(TimerFired("pieces")) == []
    assert "pieces" not in play.conversation.talk.memory


def test_strict_fields_do_not_wait_for_pieces() -> None:
    play = Play(PAUSE)
    play.say("двойное списание")
    assert play.say("Другое") == ["ИНН вашей организации?"]


def photo(name: str, album: str = "") -> dict[str, object]:
    return {"attachments": (Attachment("photo", name),), "album": album}


def test_an_album_is_one_answer() -> None:
    play = Play(BOOK)
    play.say("вернуть товар")
    play.say("123456")
    play.say("8 912 345-67-89")
    play.done(номер="123456", дней_с_доставки=3)
    play.say("1")
    play.say("Крышка треснула в первый же день.")
    assert play.say("", **photo("f1", "a")) == []
    assert play.say("", **photo("f2", "a")) == []
    assert play.timers["pieces"].seconds == 1
    assert play.fire("pieces") == ["По какому телефону с вами связаться?"]
    assert play.value("фото") == ["f1", "f2"]


def test_another_album_ends_the_first() -> None:
    play = Play(build(file="flow: Файл\ntriggers: [{event: file}]\nsteps: [{say: Получил.}, {end: файл}]"))
    play.say("привет")
    play.say("", **photo("f1", "a"))
    assert play.say("", **photo("f2", "b")) == ["Получил."]
    assert play.fire("pieces") == ["Получил."]


@pytest.mark.parametrize("count", [49, 51, 120])
def test_an_endless_album_is_cut(count: int) -> None:
    play = Play(build(file="flow: Файл\ntriggers: [{event: file}]\nsteps: [{say: Получил.}, {end: файл}]"))
    play.say("привет")
    said = [text for n in range(count) for text in play.say("", **photo(f"f{n}", "a"))]
    said += play.fire("pieces")
    assert said == ["Получил."] * (count // 50 + 1)


def test_a_flush_of_nothing_is_nothing() -> None:
    assert Play(BOOK).happen(TimerFired("pieces")) == []
    assert Play(BOOK).happen(TimerFired("other")) == []
