"""What people may do with a session, act by act: who may, when, what it does, what speaks against it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from core.conversation import Conversation
from core.effects import AnswerBot, Hand, Note, Queue, Record, Send, StartTimer, StopTimer, Unqueue
from core.events import (
    Edited,
    Event,
    FieldGiven,
    HandoffAsked,
    LoanAsked,
    LoanBegun,
    LoanOver,
    LoanStopped,
    Message,
    OperatorAct,
    Press,
    TimerFired,
)
from core.locale import texts
from core.messages import Attachment
from core.turn import Facts, Turn
from handoff.decide import decide
from handoff.decision import HOLD_TIMER, IDLE_TIMER, LOAN, TRANSFERRED, WAIT_TIMER
from handoff.hours import parse_hours
from handoff.lines import House, Line, line_facts
from handoff.rating import typed
from handoff.returning import begin
from handoff.session import RATE, open_session
from tests.handoff.test_decide import DAY, NIGHT, fresh, of, said

OFFICE = parse_hours({"mon-fri": "09:00-18:00"}, "Europe/Moscow")
HOUSE = House(
    lines={
        "support": Line(
            id="support",
            title="Поддержка",
            hours=OFFICE,
            categories=("Возврат", "Доставка"),
            rating=True,
            idle_warn=1200,
            idle_close=1800,
            returning="line",
        ),
        "billing": Line(id="billing", title="Расчёты", hours=OFFICE, packet=("Номер заказа", "ИНН")),
        "plain": Line(id="plain", title="Простая"),
    },
    words={"cancel": ("отмена",)},
)
T = texts("ru")
BOSS = {"right": "supervisor"}


def step(conversation: Conversation, event: Event, now: Any = DAY) -> Turn:
    return decide(HOUSE, conversation, event, now, Facts({}, line_facts(HOUSE, now), "support"))


def act(on: Conversation, name: str, operator: str = "user:1", text: str = "", now: Any = DAY, **data: Any) -> Turn:
    return step(on, OperatorAct(operator, name, text, on.session.epoch, data=data), now)


def queued(line: str = "support") -> Conversation:
    return step(fresh(), HandoffAsked(line, "записка", "", 3)).conversation


def owned(line: str = "support", operator: str = "user:1") -> Conversation:
    return act(queued(line), "take", operator).conversation


def waiting(line: str = "support") -> Conversation:
    return act(owned(line), "reply", text="Слушаю").conversation


def refused(turn: Turn) -> str:
    """Why nothing was done."""
    found = [one.data["why"] for one in turn.trace if one.kind == "refused"]
    assert len(found) == 1
    assert not of(turn, Send)
    return str(found[0])


def timers(turn: Turn, key: str) -> list[StartTimer]:
    return [timer for timer in of(turn, StartTimer) if timer.key == key]


def facts(turn: Turn, kind: str) -> list[dict[str, Any]]:
    return [record.data for record in of(turn, Record) if record.kind == kind]


# --- taking over, assigning -------------------------------------------------------------------------------------------


def test_a_supervisor_takes_what_a_colleague_has() -> None:
    before = owned()
    turn = act(before, "take", "user:9", **BOSS)
    session = turn.conversation.session
    assert (session.operator, session.epoch) == ("user:9", before.session.epoch + 1)
    (moved,) = facts(turn, "session_moved")
    assert (moved["move"], moved["from_operator"]) == ("take_over", "user:1")
    assert refused(act(before, "take", "user:2")) == "owner"
    assert refused(act(before, "take", "user:1")) == "state"


def test_the_router_assigns_what_waits_and_a_supervisor_everything() -> None:
    data: dict[str, Any] = {"to": "user:5", "reason": "fewest sessions", "skipped": [{"user": 7, "why": "full"}]}
    turn = act(queued(), "assign", "router", **data)
    assert turn.conversation.session.operator == "user:5"
    assert of(turn, Unqueue) == [Unqueue("taken")]
    (fact,) = facts(turn, "assigned")
    assert (fact["reason"], fact["skipped"]) == ("fewest sessions", [{"user": 7, "why": "full"}])
    for conversation in (owned(), fresh()):
        assert refused(act(conversation, "assign", "router", **data)) == "state"
        assert act(conversation, "assign", "user:9", to="user:5", **BOSS).conversation.session.operator == "user:5"
    assert refused(act(queued(), "assign", "user:2", to="user:5")) == "right"
    assert refused(act(queued(), "assign", "user:9", to="user:5", present=False, **BOSS)) == "absent"
    assert refused(act(queued(), "assign", "router")) == "state", "to nobody"
    stale = OperatorAct("router", "assign", epoch=0, data=data)
    assert refused(step(queued(), stale)) == "epoch"


def test_released_sessions_wait_with_their_history() -> None:
    """The person is away: back in the queue, in the old place, and never given up."""
    before = waiting()
    turn = act(before, "release", "house", "deactivated")
    session = turn.conversation.session
    assert (session.status, session.line, session.operator, session.note) == ("queued", "support", "", "записка")
    (moved,) = facts(turn, "session_moved")
    assert (moved["move"], moved["who"], moved["why"]) == ("release", "house", "deactivated")
    assert of(turn, Queue)[0].line == "support"
    assert not timers(turn, WAIT_TIMER)
    assert refused(act(before, "release", "user:2")) == "right"
    assert refused(act(queued(), "release", "house")) == "state"


# --- words and files --------------------------------------------------------------------------------------------------


def test_a_reply_may_be_a_file_alone() -> None:
    event = OperatorAct("user:1", "reply", "", 2, attachments=(Attachment("file", "u1"),))
    (send,) = of(step(owned(), event), Send)
    assert (send.message.files, send.author) == (("u1",), "operator")


def test_the_first_reply_is_remembered() -> None:
    first = act(owned(), "reply", text="раз").conversation
    later = act(first, "reply", text="два", now=DAY + timedelta(minutes=5)).conversation
    assert later.session.first_reply_at == DAY.timestamp()


def test_a_whisper_calls_somebody() -> None:
    turn = act(owned(), "note", "user:9", "скажите про скидку", mention=["user:1", 7])
    assert of(turn, Note) == [Note("скажите про скидку", "user:9", ("user:1",))]
    assert not of(turn, Send)


# --- transfers --------------------------------------------------------------------------------------------------------

FULL = {"Номер заказа": "123456", "ИНН": "7707083893"}


def test_a_transfer_without_the_packet_is_refused_with_what_is_missing() -> None:
    turn = act(owned(), "transfer", line="billing", packet={"ИНН": " "}, known={"Номер заказа": "123456"})
    assert refused(turn) == "packet"
    assert turn.trace[-1].data["missing"] == ["ИНН"]
    assert turn.conversation == owned()


def test_a_transfer_brings_what_is_known_and_what_is_given() -> None:
    turn = act(owned(), "transfer", text="спор по счёту", line="billing", packet={"ИНН": "1"}, known=FULL)
    session = turn.conversation.session
    assert (session.status, session.line, session.packet) == ("queued", "billing", {**FULL, "ИНН": "1"})
    assert session.note == "спор по счёту"
    assert of(turn, Note) == [Note("спор по счёту", "user:1")]
    assert said(turn) == [
        T("I have passed you to the line “{line}”: an operator will answer right here.", line="Расчёты")
    ]
    (fact,) = facts(turn, "transferred")
    assert (fact["from_line"], fact["line"], fact["missing"]) == ("support", "billing", [])


def test_an_urgent_transfer_goes_incomplete_and_is_marked() -> None:
    turn = act(owned(), "transfer", line="billing", urgent=True, known={"ИНН": "7707083893"})
    session = turn.conversation.session
    assert session.memory[TRANSFERRED]["missing"] == ["Номер заказа"]
    assert (session.priority, of(turn, Queue)[0].priority) == ("urgent", 2)


@pytest.mark.parametrize(
    ("data", "why", "now"),
    [
        ({"line": "billing", "packet": FULL}, "closed", NIGHT),
        ({"line": "nowhere"}, "line", DAY),
        ({}, "line", DAY),
        ({"line": "support", "person": "user:5"}, "absent", DAY),
        ({"line": "support", "person": "user:5", "present": False}, "absent", DAY),
        ({"line": "support", "person": "user:1", "present": True}, "same", DAY),
        ({"line": "billing", "packet": "нет", "urgent": "yes"}, "packet", DAY),
    ],
)
def test_transfers_that_are_refused(data: dict[str, Any], why: str, now: Any) -> None:
    turn = act(owned(), "transfer", now=now, **data)
    assert (refused(turn), turn.conversation) == (why, owned())


def test_only_the_owner_or_a_supervisor_transfers() -> None:
    assert refused(act(owned(), "transfer", "user:2", line="plain")) == "owner"
    assert act(owned(), "transfer", "user:9", line="plain", **BOSS).conversation.session.line == "plain"
    moved = act(queued(), "transfer", "user:9", line="plain", **BOSS)
    assert (of(moved, Unqueue), moved.conversation.session.line) == ([Unqueue("moved")], "plain")
    assert refused(act(queued(), "transfer", "user:9", line="support", **BOSS)) == "same"


def transferred(**data: Any) -> Conversation:
    return act(owned(), "transfer", **{"line": "billing", "packet": FULL, **data}).conversation


def test_a_transfer_is_accepted_once() -> None:
    taken = act(transferred(), "take", "user:5").conversation
    turn = act(taken, "accept", "user:5")
    assert facts(turn, "transfer_accepted") == [{"session": 1, "from_line": "support"}]
    assert refused(act(turn.conversation, "accept", "user:5")) == "state"
    assert refused(act(turn.conversation, "send_back", "user:5", "не наше")) == "state"
    answered = act(taken, "reply", "user:5", "Здравствуйте")
    assert len(facts(answered, "transfer_accepted")) == 1, "an answer accepts it"


def test_a_transfer_is_sent_back_with_the_reason_and_counted_for_the_sender() -> None:
    taken = act(transferred(), "take", "user:5").conversation
    assert refused(act(taken, "send_back", "user:5")) == "reason"
    turn = act(taken, "send_back", "user:5", "не по счёту")
    session = turn.conversation.session
    assert (session.status, session.line, session.note) == ("queued", "support", "не по счёту")
    assert TRANSFERRED not in session.memory
    (fact,) = facts(turn, "transfer_returned")
    assert (fact["from_line"], fact["line"], fact["by"], fact["why"]) == ("support", "billing", "user:5", "не по счёту")


def test_it_goes_back_to_the_person_who_is_there() -> None:
    taken = act(transferred(), "take", "user:5").conversation
    turn = act(taken, "send_back", "user:5", "не по счёту", present=True)
    session = turn.conversation.session
    assert (session.status, session.operator, session.line) == ("assigned", "user:1", "support")


def test_a_transfer_to_a_person_keeps_the_client_out_of_the_queue() -> None:
    given = transferred(person="user:5", present=True)
    assert (given.session.status, given.session.operator, given.session.line) == ("assigned", "user:5", "billing")
    assert refused(act(given, "send_back", "user:1", "ой")) == "owner"


# --- on hold ----------------------------------------------------------------------------------------------------------


def test_a_hold_ends_at_its_time() -> None:
    until = DAY.timestamp() + 3600
    held = act(waiting(), "hold", until=until)
    assert held.conversation.session.status == "held"
    assert StopTimer(IDLE_TIMER) in held.effects, "who is put aside is not given up"
    (timer,) = timers(held, HOLD_TIMER)
    assert timer.seconds == 3600
    back = step(held.conversation, TimerFired(HOLD_TIMER, timer.data), DAY + timedelta(hours=1))
    assert back.conversation.session.status == "assigned"
    assert (facts(back, "session_moved")[0]["who"], back.conversation.session.epoch) == ("clock", 2)


def test_a_hold_without_end_ends_by_hand_or_by_the_client() -> None:
    held = act(owned(), "hold").conversation
    for turn in (act(held, "unhold"), step(held, Message("вот номер"))):
        assert turn.conversation.session.status == "assigned"
        assert "held" not in turn.conversation.session.memory
    assert act(held, "reply", text="готово").conversation.session.status == "waiting"
    assert refused(act(owned(), "unhold")) == "state"
    assert refused(act(owned(), "hold", until=DAY.timestamp() - 1)) == "until"


def test_the_timer_of_an_earlier_hold_is_void() -> None:
    first = act(owned(), "hold", until=DAY.timestamp() + 60)
    longer = act(first.conversation, "hold", until=DAY.timestamp() + 600).conversation
    late = step(longer, TimerFired(HOLD_TIMER, timers(first, HOLD_TIMER)[0].data))
    assert (late.conversation, late.effects) == (longer, ())


# --- a client who is silent -------------------------------------------------------------------------------------------


def test_a_silent_client_is_asked_and_then_given_up_apart() -> None:
    answered = act(owned(), "reply", text="Ваш номер?")
    (timer,) = timers(answered, IDLE_TIMER)
    assert timer.seconds == 1200
    asked = step(answered.conversation, TimerFired(IDLE_TIMER, timer.data), DAY + timedelta(minutes=20))
    assert said(asked) == [T("Are you still here? If there is no answer, we will end the conversation.")]
    (again,) = timers(asked, IDLE_TIMER)
    assert again.seconds == 600
    over = step(asked.conversation, TimerFired(IDLE_TIMER, again.data), DAY + timedelta(minutes=30))
    session = over.conversation.session
    assert (session.status, session.closed_at) == ("closed", (DAY + timedelta(minutes=30)).timestamp())
    (moved,) = facts(over, "session_moved")
    assert (moved["move"], moved["who"], moved["why"], moved["operator"]) == ("close", "clock", "idle", "user:1")
    assert RATE not in session.memory, "who has left is not asked for a rating"
    assert of(over, AnswerBot) == [AnswerBot("done", "support")]


def test_an_answer_of_the_client_voids_the_clock() -> None:
    answered = act(owned(), "reply", text="Ваш номер?")
    back = step(answered.conversation, Message("42"))
    assert StopTimer(IDLE_TIMER) in back.effects
    late = TimerFired(IDLE_TIMER, timers(answered, IDLE_TIMER)[0].data)
    assert not said(step(back.conversation, late))
    second = act(back.conversation, "reply", text="Спасибо", now=DAY + timedelta(minutes=1)).conversation
    assert not said(step(second, late)), "the clock of an earlier answer"


def test_a_line_without_idle_close_waits_for_ever() -> None:
    assert not timers(act(owned("plain"), "reply", text="?"), IDLE_TIMER)


# --- the end ----------------------------------------------------------------------------------------------------------


def test_a_close_names_a_category_of_the_line() -> None:
    for category in ("", "Погода"):
        turn = act(owned(), "close", category=category)
        assert (refused(turn), turn.trace[-1].data["categories"]) == ("category", ["Возврат", "Доставка"])
    closed = act(owned(), "close", category="Возврат").conversation.session
    assert (closed.status, closed.category) == ("closed", "Возврат")
    assert act(owned("plain"), "close").conversation.session.status == "closed"
    assert refused(act(owned("plain"), "close", category="Возврат")) == "category"


def closed() -> Conversation:
    return act(waiting(), "close", category="Возврат").conversation


def test_a_rating_is_asked_for_at_the_end_and_given_once() -> None:
    turn = act(waiting(), "close", category="Возврат")
    way_back, question = of(turn, Send)
    assert way_back.message.body.text == T("The conversation is over. Write here any time, and we will go on.")
    tokens = [button.token for button in question.message.rows[0]]
    assert tokens == [f"q.rate.1.{n}" for n in range(1, 6)]
    rated = step(turn.conversation, Press("q.rate.1.4"))
    assert rated.conversation.session.rating == 4
    assert facts(rated, "rated") == [{"session": 1, "line": "support", "operator": "user:1", "rating": 4}]
    again = step(rated.conversation, Press("q.rate.1.1"))
    assert (again.conversation.session.rating, said(again)) == (4, [T("This button is out of date.")])


@pytest.mark.parametrize("token", ["q.rate.1.0", "q.rate.1.6", "q.rate.2.5", "q.rate.1.", "q.rate.1.55"])
def test_other_buttons_rate_nothing(token: str) -> None:
    assert not facts(step(closed(), Press(token)), "rated")


def test_a_digit_alone_is_a_rating_where_nothing_else_has_begun() -> None:
    assert typed(closed(), Message("5"))
    assert facts(step(closed(), Message("5")), "rated")[0]["rating"] == 5
    for text in ("6", "0", "пять", "5 звёзд", ""):
        assert not typed(closed(), Message(text))
    assert not typed(open_session(closed(), DAY), Message("5"))
    assert not typed(waiting(), Message("5"))


def test_the_rating_of_the_session_before_counts_for_that_session() -> None:
    """«Спасибо» first, then the button."""
    later = open_session(closed(), DAY + timedelta(minutes=1), 3600)
    rated = step(later, Press("q.rate.1.5"))
    assert facts(rated, "rated")[0]["session"] == 1
    assert (rated.conversation.session.number, rated.conversation.session.rating) == (2, 0)


# --- clients who come back --------------------------------------------------------------------------------------------


def test_a_client_who_comes_back_soon_continues() -> None:
    soon, late = DAY + timedelta(days=2), DAY + timedelta(days=3, minutes=1)
    assert begin(HOUSE, closed(), soon).session.continues == 1
    assert begin(HOUSE, closed(), late).session.continues == 0


def test_the_line_greets_who_comes_back_while_it_is_open() -> None:
    soon = DAY + timedelta(hours=1)
    turn = step(begin(HOUSE, closed(), soon), Message("ещё вопрос"), soon)
    session = turn.conversation.session
    assert (session.status, session.line, session.continues) == ("queued", "support", 1)
    assert facts(turn, "session_moved")[0]["why"] == "returning"
    at_night = begin(HOUSE, closed(), NIGHT)
    assert step(at_night, Message("ещё вопрос"), NIGHT).conversation.session.status == "bot"


# --- the bot on loan --------------------------------------------------------------------------------------------------


def lent() -> Conversation:
    return step(owned(), LoanBegun("ask_order", "user:1")).conversation


def test_a_loan_leaves_the_session_with_the_operator() -> None:
    asked = act(owned(), "loan", flow="ask_order")
    assert of(asked, Hand) == [Hand(LoanAsked("ask_order", "user:1"))]
    assert asked.conversation == owned(), "the bot says first whether it can"
    session = lent().session
    assert (session.status, session.operator, session.epoch) == ("waiting", "user:1", owned().session.epoch)
    assert refused(act(lent(), "loan", flow="ask_order")) == "state"
    assert refused(act(owned(), "loan")) == "flow"
    assert refused(act(owned(), "loan", "user:2", flow="ask_order")) == "owner"


def test_the_operator_has_the_word_again_when_the_loan_is_over() -> None:
    turn = step(lent(), LoanOver("готово", {"Номер заказа": "123456"}))
    assert (turn.conversation.session.status, LOAN in turn.conversation.session.memory) == ("assigned", False)
    assert not of(turn, Hand)
    assert "Номер заказа: 123456" in of(turn, Note)[0].text


@pytest.mark.parametrize("name", ["reply", "hold", "return", "to_bot", "end_loan", "close"])
def test_whatever_the_owner_does_ends_the_loan(name: str) -> None:
    turn = act(lent(), name, text="хватит", category="Возврат")
    assert of(turn, Hand) == [Hand(LoanStopped())]
    assert LOAN not in turn.conversation.session.memory


def test_an_edit_does_not_end_a_loan() -> None:
    turn = step(lent(), Edited("m1", "43", was="42"))
    assert (turn.conversation, len(of(turn, Note))) == (lent(), 1)


def test_a_handoff_inside_a_loan_is_answered_at_once() -> None:
    turn = step(lent(), HandoffAsked("billing"))
    assert turn.effects == (AnswerBot("returned", "billing"),)


# --- small changes ----------------------------------------------------------------------------------------------------


def test_priority() -> None:
    turn = act(queued(), "priority", "user:2", priority="urgent")
    assert (turn.conversation.session.priority, of(turn, Queue)[0].priority) == ("urgent", 2)
    assert [type(one) for one in turn.effects if isinstance(one, Unqueue | Queue)] == [Unqueue, Queue]
    assert act(owned(), "priority", priority="high").conversation.session.memory["urgency"] == 1
    assert refused(act(owned(), "priority", "user:2", priority="high")) == "owner"
    assert not act(owned(), "priority", "user:9", priority="high", **BOSS).trace
    assert refused(act(queued(), "priority", priority="сверхсрочно")) == "priority"
    assert refused(act(fresh(), "priority", priority="high")) == "state"


def test_fields_are_the_bots_to_write() -> None:
    turn = act(owned(), "set_field", text=" 42 ", label="Номер заказа")
    assert of(turn, Hand) == [Hand(FieldGiven("Номер заказа", "42", "user:1"))]
    assert refused(act(owned(), "set_field", "user:2", text="42", label="Номер заказа")) == "owner"


def test_a_closed_session_takes_no_act() -> None:
    conversation = msgspec.structs.replace(closed())
    for name in ("take", "assign", "reply", "return", "release", "transfer", "hold", "close", "to_bot", "priority"):
        turn = act(conversation, name, "user:9", "x", to="user:5", line="plain", priority="high", **BOSS)
        assert refused(turn) in {"state", "owner"}
        assert turn.conversation == conversation
