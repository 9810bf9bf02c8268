"""What waiting clients are told: measured, seldom, and only when something changed; offers that nobody answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.conversation import Conversation, Session
from core.effects import Record, Send, StartTimer, StopTimer
from core.events import Event, OperatorAct, TimerFired
from core.messages import Outgoing
from core.turn import Facts, Turn
from handoff.decide import decide
from handoff.lines import House, Line
from handoff.queueing import (
    ENOUGH,
    FIRST,
    OFFER_TIMER,
    PAUSE,
    POSITION_TIMER,
    Told,
    is_due,
    is_news,
    news,
    standing,
    wait_range,
)

AT = 1_800_000_000.0
HOUSE = House(
    lines={"support": Line(id="support", title="Поддержка", max_wait=600.0, offer=60.0)}, words={"cancel": ("отмена",)}
)
FACTS = Facts({}, {}, "support")


def waiting(**more: Any) -> Conversation:
    values = {"queued_at": AT, "memory": {"run": 2, "due": AT + 300}, **more}
    session = Session(1, "queued", "queue", 1, "support", opened_at=AT, **values)
    return Conversation(7, "telegram", "42", "1", 3, session=session)


def after(conversation: Conversation, event: Event, seconds: float = 10.0) -> Turn:
    return decide(HOUSE, conversation, event, datetime.fromtimestamp(AT + seconds, UTC), FACTS)


def texts(turn: Turn) -> list[str]:
    return [it.message.body.text for it in turn.effects if isinstance(it, Send) and isinstance(it.message, Outgoing)]


# --- the range ----------------------------------------------------------------------------------------------------------


def test_too_little_history_is_none() -> None:
    assert wait_range([60.0] * (ENOUGH - 1)) is None
    assert standing(3, [60.0] * (ENOUGH - 1), 0.0) == Told(3)


@pytest.mark.parametrize(
    ("minutes", "found"),
    [
        ([1, 2, 3, 4, 5], (1, 4)),
        ([0.2, 0.3, 0.4, 0.5, 0.6], (0, 1)),
        ([2.5] * 9, (2, 3)),
        ([12, 14, 18, 33, 90], (10, 35)),
        ([61, 62, 63, 64, 65], (60, 75)),
    ],
)
def test_ranges(minutes: list[float], found: tuple[int, int]) -> None:
    assert wait_range([it * 60 for it in minutes]) == found


@given(st.lists(st.floats(0, 86_400), min_size=ENOUGH, max_size=20))
def test_a_range_holds_what_was_measured(waits: list[float]) -> None:
    """At least three of five waits lie in it: it is never narrower than the truth."""
    found = wait_range(waits)
    assert found is not None
    low, high = found
    assert 0 <= low < high
    inside = sum(low * 60 <= it <= high * 60 + 1e-6 for it in waits)
    assert inside >= 0.6 * len(waits)


def test_who_waits_longer_than_others_hears_no_range() -> None:
    waits = [60.0, 120.0, 180.0, 240.0, 300.0]
    assert standing(1, waits, 240.0) == Told(1, 1, 4)
    assert standing(1, waits, 241.0) == Told(1)


# --- when ---------------------------------------------------------------------------------------------------------------


def test_not_at_once_and_not_again_and_again() -> None:
    session = waiting().session
    assert [is_due(session, AT + after) for after in (0.0, FIRST - 0.1, FIRST)] == [False, False, True]
    told = after(waiting(), news(session, Told(2, 1, 4))).conversation.session
    assert [is_due(told, AT + 10 + after) for after in (0.0, PAUSE - 0.1, PAUSE)] == [False, False, True]
    assert [is_news(told, it) for it in (Told(2, 1, 4), Told(1, 1, 4), Told(2, 1, 5), Told(2))] == [
        False,
        True,
        True,
        True,
    ]


def test_one_message_is_edited() -> None:
    turn = after(waiting(), news(waiting().session, Told(2, 1, 4)))
    (said,) = [it for it in turn.effects if isinstance(it, Send)]
    assert (said.slot, said.replace, said.author) == ("queue", True, "notice")
    assert "2" in texts(turn)[0]
    assert turn.conversation.session.owner == "queue"
    assert turn.conversation.session.epoch == 1


@pytest.mark.parametrize("data", [{}, {"session": 1, "epoch": 9, "place": 1}, {"session": 2, "epoch": 1, "place": 1}])
def test_what_was_measured_for_another_stay_is_not_said(data: dict[str, Any]) -> None:
    turn = after(waiting(), TimerFired(POSITION_TIMER, data))
    assert (texts(turn), turn.conversation) == ([], waiting())


# --- offers -------------------------------------------------------------------------------------------------------------


def offered() -> Conversation:
    turn = after(waiting(), OperatorAct("router", "assign", epoch=1, data={"to": "user:7", "reason": "balanced"}))
    assert StartTimer(OFFER_TIMER, 60.0, {"session": 1, "epoch": 2}) in turn.effects
    assert turn.conversation.session.operator == "user:7"
    return turn.conversation


def test_nobody_answers() -> None:
    turn = after(offered(), TimerFired(OFFER_TIMER, {"session": 1, "epoch": 2}), 70.0)
    session = turn.conversation.session
    assert (session.owner, session.epoch, session.operator, session.queued_at) == ("queue", 3, "", AT)
    (moved,) = [it for it in turn.effects if isinstance(it, Record) and it.kind == "session_moved"]
    assert (moved.data["why"], moved.data["who"]) == ("offer_ignored", "router")
    (wait,) = [it for it in turn.effects if isinstance(it, StartTimer) and it.key == "line.wait"]
    assert wait.seconds == 530.0, "`max_wait` counts from the first moment in the queue"


@pytest.mark.parametrize("act", ["reply", "note", "accept"])
def test_a_sign_of_the_operator_ends_the_offer(act: str) -> None:
    turn = after(offered(), OperatorAct("user:7", act, "да", 2))
    assert StopTimer(OFFER_TIMER) in turn.effects
    late = after(turn.conversation, TimerFired(OFFER_TIMER, {"session": 1, "epoch": 2}), 70.0)
    assert late.conversation.session.operator == "user:7"


def test_a_colleagues_note_is_no_sign_of_the_operator() -> None:
    turn = after(offered(), OperatorAct("user:8", "note", "смотрю", 2))
    late = after(turn.conversation, TimerFired(OFFER_TIMER, {"session": 1, "epoch": 2}), 70.0)
    assert late.conversation.session.owner == "queue"


def test_what_a_supervisor_assigns_is_no_offer() -> None:
    event = OperatorAct("user:9", "assign", epoch=1, data={"to": "user:7", "right": "supervisor", "present": True})
    turn = after(waiting(), event)
    assert turn.conversation.session.operator == "user:7"
    assert not [it for it in turn.effects if isinstance(it, StartTimer) and it.key == OFFER_TIMER]
