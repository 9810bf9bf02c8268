"""A ticket out of a conversation: who opens it, what it carries, what the client hears; and what a lent bot brings."""

from __future__ import annotations

from typing import Any

import pytest

from core.conversation import Conversation
from core.effects import CreateTicket, Hand, Note, Record, Send, StopTimer
from core.events import LoanBegun, LoanOver, LoanStopped, OperatorAct
from core.turn import Facts, Turn
from handoff.decide import decide
from handoff.decision import HELD, HOLD_TIMER, LOAN
from handoff.lines import line_facts
from tests.handoff.test_acts import HOUSE, act, closed, facts, owned, queued, step, waiting
from tests.handoff.test_decide import DAY, fresh, of, said

CHECKED: dict[str, Any] = {
    **{"key": "k1", "desk": "returns", "title": "Возврат", "fields": {"Номер заказа": "42"}, "files": ["f1", "f2"]},
    **{
        "priority": "high",
        "private": ["Паспорт"],
        "category": "Брак",
        "assignee": "user:5",
        "deadline": DAY.timestamp(),
    },
    "tell": False,
}


def ticket(
    on: Conversation, operator: str = "user:1", text: str = "Не включается", epoch: int = 0, **data: Any
) -> Turn:
    known = Facts({}, line_facts(HOUSE, DAY), "support", ticket_number=1207)
    event = OperatorAct(operator, "ticket", text, on.session.epoch + epoch, data={**CHECKED, **data})
    return decide(HOUSE, on, event, DAY, known)


def test_a_ticket_carries_what_the_desk_has_checked_and_who_opened_it() -> None:
    before = owned()
    turn = ticket(before)
    (made,) = of(turn, CreateTicket)
    assert made == CreateTicket(
        "1:user:1:k1",
        1207,
        "returns",
        "Возврат",
        text="Не включается",
        fields={"Номер заказа": "42"},
        files=("f1", "f2"),
        priority="high",
        private=("Паспорт",),
        category="Брак",
        assignee="user:5",
        deadline=DAY.timestamp(),
        author="user:1",
    )
    assert not made.wait, "no flow hangs on it"
    assert turn.conversation == before, "the talk stays with whoever has it"
    assert turn.trace[-1].data == {"number": 1207, "desk": "returns"}


def test_the_client_hears_of_it_only_when_told_to() -> None:
    assert said(ticket(owned())) == []
    assert said(ticket(owned(), tell=True, title=" Возврат {1} ")) == ["Создана заявка 1207: Возврат {1}"]
    (send,) = of(ticket(owned(), tell=True), Send)
    assert send.author == "notice", "it is no answer of the operator"


def test_what_hides_in_a_text_stays_out_of_the_ticket() -> None:
    (made,) = of(
        ticket(owned(), text="раз\r\nдва\u202e", title="\u200b Возврат\u202e ", fields={"Номер заказа": "4\u200b2"}),
        CreateTicket,
    )
    assert (made.title, made.text, made.fields) == ("Возврат", "раз\nдва", {"Номер заказа": "42"})


@pytest.mark.parametrize("place", [fresh, queued, owned, waiting, closed])
def test_whoever_may_see_the_talk_opens_a_ticket_wherever_it_stands(place: Any) -> None:
    on = place()
    for operator in ("user:1", "user:2"):
        turn = ticket(on, operator, epoch=-1)
        assert [it.author for it in of(turn, CreateTicket)] == [operator], "even if it has moved meanwhile"
        assert turn.conversation == on


def test_the_same_key_is_one_ticket_to_one_person_and_not_to_two() -> None:
    def key(operator: str, name: str) -> str:
        return of(ticket(owned(), operator, key=name), CreateTicket)[0].key

    assert key("user:1", "a") == key("user:1", "a")
    assert len({key("user:1", "a"), key("user:1", "b"), key("user:2", "a")}) == 3


# --- what a lent bot brings --------------------------------------------------------------------------------------------


def lent(on: Conversation) -> Turn:
    return step(on, LoanBegun("ask_order", "user:1"))


def test_a_loan_says_which_flow_and_since_when() -> None:
    before = owned()
    turn = lent(before)
    about = {"flow": "ask_order", "at": DAY.timestamp()}
    assert turn.conversation.session.memory == {**before.session.memory, LOAN: about}, "nothing else is forgotten"
    (moved,) = facts(turn, "session_moved")
    assert (moved["move"], moved["who"], moved["operator"]) == ("loan", "user:1", "user:1")


def test_a_loan_ends_what_was_put_aside() -> None:
    held = act(owned(), "hold", until=DAY.timestamp() + 600).conversation
    turn = lent(held)
    assert StopTimer(HOLD_TIMER) in of(turn, StopTimer)
    assert HELD not in turn.conversation.session.memory
    assert LOAN in turn.conversation.session.memory


def test_what_the_bot_has_got_is_read_label_by_label_and_counted_without_its_words() -> None:
    turn = step(lent(owned()).conversation, LoanOver("готово", {"Номер заказа": "42", "Адрес": "Тверская, 1"}))
    assert of(turn, Note) == [Note("Бот спросил: Номер заказа: 42\nАдрес: Тверская, 1")]
    (fact,) = facts(turn, "loan_over")
    assert fact == {"session": 1, "line": "support", "flow": "ask_order", "outcome": "готово", "fields": 2}
    assert not of(turn, Hand), "the bot has said itself that it is over"


def test_a_bot_that_got_nothing_says_so() -> None:
    turn = step(lent(owned()).conversation, LoanOver("отменено"))
    assert of(turn, Note) == [Note("Бот спросил: —")]
    assert facts(turn, "loan_over")[0]["fields"] == 0


@pytest.mark.parametrize("place", [fresh, queued, owned, closed])
def test_a_loan_that_is_over_already_ends_nothing(place: Any) -> None:
    """The operator was quicker than the flow."""
    on = place()
    turn = step(on, LoanOver("готово", {"Номер заказа": "42"}))
    assert (turn.conversation, of(turn, Note), of(turn, Record)) == (on, [], [])
    assert [it.kind for it in turn.trace] == ["no_loan"]


def test_an_operator_who_ends_the_loan_hears_of_no_outcome() -> None:
    stopped = act(lent(owned()).conversation, "end_loan")
    assert of(stopped, Hand) == [Hand(LoanStopped())]
    assert facts(stopped, "loan_over") == []
    assert stopped.conversation.session.status == "assigned"
