"""The human side's step, event by event, and its promises over any order of events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.conversation import Conversation, Session
from core.effects import AnswerBot, Effect, Note, Queue, Record, Send, StartTimer, StopTimer, Unqueue
from core.events import (
    CallDone,
    ColleagueReply,
    DeliveryFailed,
    Edited,
    Event,
    HandoffAsked,
    LineAnswer,
    Message,
    Opened,
    OperatorAct,
    Outside,
    Poisoned,
    Press,
    Reachability,
    TicketChanged,
    TimerFired,
)
from core.locale import texts
from core.machine import Illegal
from core.turn import Facts, Turn
from handoff.decide import COLLEAGUE_TIMER, decide
from handoff.decision import WAIT_TIMER
from handoff.hours import parse_hours
from handoff.lines import House, Line, line_facts
from handoff.session import move, open_session, owner
from handoff.sla_clocks import SLA_TIMER

OFFICE = parse_hours({"mon-fri": "09:00-18:00"}, "Europe/Moscow")
HOUSE = House(
    lines={
        "support": Line(id="support", title="Поддержка", hours=OFFICE, max_wait=600, first_reply=300),
        "billing": Line(id="billing", title="Расчёты", hours=OFFICE),
        "always": Line(id="always", title="Дежурные"),
    },
    words={"cancel": ("отмена",), "menu": ("меню",)},
)
DAY = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)  # Monday noon in Moscow
NIGHT = datetime(2026, 1, 5, 20, 0, tzinfo=UTC)
T = texts("ru")


def fresh(**session: Any) -> Conversation:
    return Conversation(id=1, channel="site", account="a", chat="c", client=1, session=Session(number=1, **session))


def step(
    conversation: Conversation, event: Event, now: datetime = DAY, house: House = HOUSE, line: str = "support"
) -> Turn:
    return decide(house, conversation, event, now, Facts({}, line_facts(house, now), line))


E = TypeVar("E", bound=Effect)


def of(turn: Turn, kind: type[E]) -> list[E]:
    """The effects of a kind; the clocks of the line's promises have tests of their own."""
    return [effect for effect in turn.effects if isinstance(effect, kind) and getattr(effect, "key", "") != SLA_TIMER]


def said(turn: Turn) -> list[str]:
    return [send.message.body.text for send in of(turn, Send)]


def queued(note: str = "записка", priority: str = "", now: datetime = DAY) -> Conversation:
    return step(fresh(), HandoffAsked("support", note, priority, 3), now).conversation


def assigned(operator: str = "anna") -> Conversation:
    conversation = queued()
    return step(conversation, OperatorAct(operator, "take", epoch=conversation.session.epoch)).conversation


def act(conversation: Conversation, act: Any, operator: str = "anna", text: str = "", **other: Any) -> Turn:
    return step(conversation, OperatorAct(operator, act, text, epoch=conversation.session.epoch), **other)


# --- into the queue --------------------------------------------------------------------------------------------------


def test_an_open_line_queues_the_session() -> None:
    turn = step(fresh(), HandoffAsked("support", "нужен человек", "высокая", 3))
    session = turn.conversation.session
    assert (session.status, session.owner, session.epoch, session.line) == ("queued", "queue", 1, "support")
    assert (session.note, session.priority, session.queued_at) == ("нужен человек", "высокая", DAY.timestamp())
    assert of(turn, Queue) == [Queue("support", 1, DAY.timestamp() + 300, "нужен человек")]
    assert of(turn, StartTimer) == [StartTimer(WAIT_TIMER, 600, {"session": 1, "epoch": 1})]
    (send,) = of(turn, Send)
    assert (send.author, send.slot) == ("notice", "queue")
    assert "Поддержка" in send.message.body.text
    assert "отмена" in send.message.body.text
    (record,) = of(turn, Record)
    assert record.kind == "session_moved"
    assert (record.data["from"], record.data["to"], record.data["who"], record.data["why"]) == (
        "bot",
        "queued",
        "flow",
        "handoff",
    )


def test_a_closed_line_answers_the_bot_without_taking_the_session() -> None:
    before = fresh()
    turn = step(before, HandoffAsked("support"), NIGHT)
    assert turn.conversation == before
    assert of(turn, AnswerBot) == [AnswerBot("closed", "support")]
    assert not of(turn, Queue)


def test_a_line_that_is_gone_gives_way_to_the_channels() -> None:
    assert step(fresh(), HandoffAsked("gone")).conversation.session.line == "support"
    nowhere = step(fresh(), HandoffAsked("gone"), house=House(lines={}))
    assert of(nowhere, AnswerBot) == [AnswerBot("closed", "gone")]


def test_a_handoff_twice_changes_nothing_and_to_another_line_moves_the_session() -> None:
    conversation = queued()
    again = step(conversation, HandoffAsked("support"))
    assert (again.conversation, again.effects) == (conversation, ())
    moved = step(conversation, HandoffAsked("billing"), DAY + timedelta(minutes=1))
    assert moved.conversation.session.line == "billing"
    assert moved.conversation.session.epoch == conversation.session.epoch + 1
    assert of(moved, Unqueue) == [Unqueue("moved")]
    assert of(moved, Queue)[0].deadline == DAY.timestamp() + 60 + 300  # that line promises anew


def test_a_closed_line_does_not_take_a_session_from_another_queue() -> None:
    conversation = step(fresh(), HandoffAsked("always")).conversation
    turn = step(conversation, HandoffAsked("support"), NIGHT)
    assert turn.conversation == conversation
    assert of(turn, Record) == [Record("line_closed", {"session": 1, "line": "support"})]
    assert not of(turn, AnswerBot)


def test_a_flow_cannot_take_the_session_from_an_operator() -> None:
    conversation = assigned()
    turn = step(conversation, HandoffAsked("billing"))
    assert (turn.conversation, turn.effects) == (conversation, ())


# --- in the queue ----------------------------------------------------------------------------------------------------


def test_messages_in_the_queue_are_the_peoples() -> None:
    for event in (Message("вы где?"), Message("вернуть товар"), Press("4.2.1", "Да")):
        turn = step(queued(), event)
        assert turn.effects == ()
        assert turn.conversation.session.status == "queued"


def test_people_are_told_of_an_edit_with_the_old_text() -> None:
    turn = step(queued(), Edited("m1", "Заказ 42", was="Заказ 24"))
    assert turn.effects == (
        Note(T("The client changed a message. Before: «{was}». Now: «{now}».", was="Заказ 24", now="Заказ 42")),
    )
    assert turn.conversation.session.status == "queued"
    turn = step(assigned(), Edited("m1", "Заказ 42"))
    assert of(turn, Note) == [Note(T("The client changed a message. Now: «{now}».", now="Заказ 42"))]
    assert turn.conversation.session.status == "assigned", "the client has the word"


def test_an_edit_while_the_bot_talks_is_nobodys() -> None:
    assert step(fresh(), Edited("m1", "x", was="y")).effects == ()


@pytest.mark.parametrize("word", ["отмена", "МЕНЮ!"])
def test_a_system_word_asks_whether_to_leave(word: str) -> None:
    turn = step(queued(), Message(word))
    (send,) = of(turn, Send)
    assert send.message.body.text == T("Leave the queue?")
    assert [button.token for button in send.message.rows[0]] == ["q.1.y", "q.1.n"]
    assert all(len(button.token.encode()) <= 20 for button in send.message.rows[0])
    assert turn.conversation.session.owner == "queue"


@pytest.mark.parametrize(
    "answer", [Press("q.1.y"), Message("да") if T("Yes") == "Да" else Message("yes"), Message("1")]
)
def test_yes_leaves_the_queue(answer: Event) -> None:
    asked = step(queued(), Message("отмена")).conversation
    turn = step(asked, answer)
    session = turn.conversation.session
    assert (session.status, session.owner, session.epoch, session.line) == ("bot", "bot", 2, "")
    assert of(turn, Unqueue) == [Unqueue("left")]
    assert of(turn, StopTimer) == [StopTimer(WAIT_TIMER)]
    assert of(turn, AnswerBot) == [AnswerBot("left", "support")]


@pytest.mark.parametrize("answer", [Press("q.1.n"), Message("2")])
def test_no_stays(answer: Event) -> None:
    asked = step(queued(), Message("отмена")).conversation
    turn = step(asked, answer)
    assert turn.conversation.session.status == "queued"
    assert said(turn) == [T("Fine, you keep your place in the queue.")]
    later = step(turn.conversation, Message("1"))
    assert (later.effects, later.conversation.session.status) == ((), "queued")


def test_another_message_takes_the_question_back() -> None:
    asked = step(queued(), Message("отмена")).conversation
    turn = step(step(asked, Message("номер 12")).conversation, Message("1"))
    assert turn.conversation.session.status == "queued"


def test_an_old_button_of_the_question_is_out_of_date() -> None:
    for conversation in (fresh(), assigned(), queued()):
        turn = step(conversation, Press("q.9.y"))
        assert turn.conversation == conversation
        assert said(turn) == [T("This button is out of date.")]


def test_start_in_the_queue_says_where_the_client_is() -> None:
    assert "Поддержка" in said(step(queued(), Opened()))[0]
    assert step(fresh(), Opened()).effects == ()


def test_busy_after_max_wait() -> None:
    conversation = queued()
    turn = step(conversation, TimerFired(WAIT_TIMER, {"session": 1, "epoch": 1}), DAY + timedelta(minutes=10))
    assert (turn.conversation.session.status, turn.conversation.session.epoch) == ("bot", 2)
    assert of(turn, Unqueue) == [Unqueue("busy")]
    assert of(turn, AnswerBot) == [AnswerBot("busy", "support")]


def test_a_stale_timer_is_void() -> None:
    late = TimerFired(WAIT_TIMER, {"session": 1, "epoch": 1})
    again = step(act(assigned(), "return").conversation, late)
    assert (again.effects, again.conversation.session.status) == ((), "queued")
    for conversation in (fresh(), assigned()):
        assert step(conversation, late).conversation == conversation
    assert step(queued(), TimerFired("silence", {})).effects == ()


# --- operators -------------------------------------------------------------------------------------------------------


def test_take_from_the_queue_and_reply() -> None:
    conversation = queued()
    taken = act(conversation, "take")
    session = taken.conversation.session
    assert (session.status, session.owner, session.operator, session.epoch) == ("assigned", "operator", "anna", 2)
    assert of(taken, Unqueue) == [Unqueue("taken")]
    assert of(taken, StopTimer) == [StopTimer(WAIT_TIMER)]
    replied = act(taken.conversation, "reply", text="Здравствуйте **!**\x00")
    (send,) = of(replied, Send)
    assert (send.author, send.operator, send.message.body.text) == ("operator", "anna", "Здравствуйте **!**")
    assert replied.conversation.session.status == "waiting"
    assert replied.conversation.session.epoch == 2
    back = step(replied.conversation, Message("спасибо"))
    assert (back.conversation.session.status, back.conversation.session.epoch, said(back)) == ("assigned", 2, [])


def test_a_supervisor_takes_over_from_the_bot() -> None:
    turn = act(fresh(), "take", "boss")
    session = turn.conversation.session
    assert (session.owner, session.operator, session.line, session.epoch) == ("operator", "boss", "support", 1)
    assert not of(turn, Unqueue)


def test_a_client_who_has_not_written_yet_can_be_taken() -> None:
    """The first message then belongs to the operator; it does not open a session of the bot's over their heads."""
    silent = msgspec.structs.replace(fresh(), session=Session())
    taken = act(silent, "take", "boss").conversation
    assert (taken.session.number, taken.session.owner) == (1, "operator")
    assert open_session(taken, DAY) is taken


def test_two_operators_take_at_once_and_one_is_told() -> None:
    conversation = queued()
    first = act(conversation, "take", "anna").conversation
    second = step(first, OperatorAct("boris", "take", epoch=conversation.session.epoch))
    assert second.conversation == first
    (record,) = of(second, Record)
    assert record == Record("operator_refused", {"act": "take", "operator": "boris", "why": "epoch"})
    third = act(first, "take", "boris")
    assert of(third, Record)[0].data["why"] == "owner"


@pytest.mark.parametrize("deed", ["reply", "return", "to_bot", "close"])
def test_only_the_owner_acts(deed: str) -> None:
    for conversation in (fresh(), queued(), assigned("boris")):
        turn = act(conversation, deed, "anna", "текст")
        assert turn.conversation == conversation
        assert of(turn, Record)[0].data["why"] == "owner"
        assert not of(turn, Send)


def test_an_empty_reply_is_refused() -> None:
    turn = act(assigned(), "reply", text=" \u200b ")
    assert of(turn, Record)[0].data["why"] == "empty"
    assert of(act(assigned(), "note", text=" "), Record)[0].data["why"] == "empty"


def test_anybody_may_note_and_the_client_never_sees_it() -> None:
    turn = step(queued(), OperatorAct("boris", "note", "грубит", epoch=0))
    assert of(turn, Note) == [Note("грубит", "boris")]
    assert not of(turn, Send)


def test_return_to_the_queue_keeps_the_place() -> None:
    turn = act(assigned(), "return", now=DAY + timedelta(minutes=30))
    session = turn.conversation.session
    assert (session.status, session.operator, session.epoch, session.note) == ("queued", "", 3, "записка")
    assert of(turn, Queue) == [Queue("support", 0, DAY.timestamp() + 300, "записка")]
    assert of(turn, StartTimer)[0].data == {"session": 1, "epoch": 3}


def test_return_when_the_line_is_closed_waits_without_busy() -> None:
    turn = act(assigned(), "return", now=NIGHT)
    assert turn.conversation.session.status == "queued"
    assert not of(turn, StartTimer)


def test_return_without_a_flow_that_waits_is_never_busy() -> None:
    turn = act(act(fresh(), "take").conversation, "return")
    assert turn.conversation.session.status == "queued"
    assert not of(turn, StartTimer)


def test_return_needs_a_line() -> None:
    taken = act(fresh(), "take", line="").conversation
    turn = act(taken, "return", house=House(lines={}))
    assert turn.conversation == taken
    assert of(turn, Record)[0].data["why"] == "line"


def test_buttons_and_messages_for_an_operator_leave_him_the_owner() -> None:
    waiting = act(assigned(), "reply", text="?").conversation
    for event in (Press("4.2.1", "Да"), Message("да")):
        turn = step(waiting, event)
        assert (turn.conversation.session.status, turn.conversation.session.epoch) == ("assigned", 2)
        assert not of(turn, Send)
    assert step(fresh(), Press("4.2.1")).effects == ()


def test_given_back_to_the_bot() -> None:
    turn = act(assigned(), "to_bot")
    session = turn.conversation.session
    assert (session.status, session.owner, session.operator, session.line, session.epoch) == ("bot", "bot", "", "", 3)
    assert of(turn, AnswerBot) == [AnswerBot("returned", "support")]


def test_close_tells_how_to_come_back() -> None:
    turn = act(assigned(), "close")
    session = turn.conversation.session
    assert (session.status, session.owner, session.line, session.epoch) == ("closed", "bot", "support", 3)
    assert said(turn) == [T("The conversation is over. Write here any time, and we will go on.")]
    assert of(turn, Send)[0].author == "notice"
    assert turn.effects[-1] == AnswerBot("done", "support")
    assert said(act(assigned(), "close", text="До встречи!")) == ["До встречи!"]


# --- sessions --------------------------------------------------------------------------------------------------------


def test_a_message_after_a_close_opens_the_next_session() -> None:
    closed = act(assigned(), "close").conversation
    opened = open_session(closed, NIGHT)
    assert (opened.session.number, opened.session.status, opened.session.epoch) == (2, "bot", closed.session.epoch)
    assert opened.session.opened_at == NIGHT.timestamp()
    assert open_session(opened, NIGHT) is opened
    first = open_session(Conversation(id=1, channel="c", account="a", chat="c", client=1), DAY)
    assert first.session.number == 1


def test_illegal_moves_raise() -> None:
    for session, event in ((Session(status="closed"), "take"), (Session(), "leave"), (Session(status="held"), "take")):
        with pytest.raises(Illegal):
            move(session, event, DAY, "x", "y")


# --- our own failures ------------------------------------------------------------------------------------------------


def test_poison_queues_on_the_channels_line_with_a_note() -> None:
    turn = step(fresh(), Poisoned(77, "KeyError"))
    assert turn.conversation.session.status == "queued"
    assert "77" in of(turn, Note)[0].text
    assert "KeyError" in of(turn, Queue)[0].note
    assert "Поддержка" in said(turn)[0]
    assert not of(turn, StartTimer)


def test_poison_at_night_stays_in_the_queue_and_says_when_it_opens() -> None:
    turn = step(fresh(status="closed"), Poisoned(77), NIGHT)
    assert (turn.conversation.session.status, turn.conversation.session.number) == ("queued", 2)
    assert "06.01, 09:00" in said(turn)[0]
    early = step(fresh(), Poisoned(77), DAY - timedelta(hours=5))
    assert "09:00" in said(early)[0]
    assert "05.01" not in said(early)[0]


def test_poison_with_people_is_a_note() -> None:
    for conversation in (queued(), assigned()):
        turn = step(conversation, Poisoned(77))
        assert turn.conversation == conversation
        assert [type(effect) for effect in turn.effects] == [Note]
    assert [type(e) for e in step(fresh(), Poisoned(1), house=House(lines={})).effects] == [Note]


def test_reachability_is_kept() -> None:
    assert not step(queued(), Reachability(False)).conversation.reachable


# --- over any order of events ----------------------------------------------------------------------------------------

names = st.sampled_from(["anna", "boris"])
acts = st.sampled_from(["take", "reply", "note", "return", "to_bot", "close"])
events = st.one_of(
    st.builds(HandoffAsked, st.sampled_from(["support", "billing", "always", "gone", ""]), st.text(), st.text()),
    st.builds(Message, st.sampled_from(["привет", "отмена", "меню", "да", "1", "2", ""])),
    st.builds(Press, st.sampled_from(["q.1.y", "q.1.n", "q.2.y", "q.", "q.1", "3.1.0", ""])),
    st.builds(Opened, st.text()),
    st.builds(OperatorAct, names, acts, st.text()),
    st.builds(ColleagueReply, st.sampled_from(["anna", "vk:77"]), st.text()),
    st.builds(Poisoned, st.integers(), st.text()),
    st.builds(Reachability, st.booleans()),
    st.sampled_from(
        [
            TimerFired("x"),
            CallDone("k", "ok"),
            DeliveryFailed(1, "unknown"),
            TicketChanged(1, "new"),
            Outside("e"),
            LineAnswer("busy", "support"),
            Edited("m"),
        ]
    ),
    st.builds(
        TimerFired,
        st.just(WAIT_TIMER),
        st.fixed_dictionaries({"session": st.integers(0, 3), "epoch": st.integers(0, 8)}),
    ),
)
# (event, minutes since the last one, how far an operator's epoch is behind)
walks = st.lists(st.tuples(events, st.integers(0, 600), st.sampled_from([0, 0, 0, 1])), max_size=40)


class Walk:
    """A conversation under any events, and what an observer of the effects alone believes of it."""

    def __init__(self) -> None:
        self.conversation = fresh()
        self.now = DAY
        self.in_queue = False

    def go(self, event: Event, minutes: int, behind: int) -> None:
        self.now += timedelta(minutes=minutes)
        before = self.conversation
        if isinstance(event, OperatorAct):
            event = msgspec.structs.replace(event, epoch=before.session.epoch - behind)
        if isinstance(event, Message):
            before = open_session(before, self.now)
        encoded = msgspec.json.encode(before)
        turn = step(before, event, self.now)
        assert msgspec.json.encode(before) == encoded
        assert msgspec.json.encode(step(before, event, self.now)) == msgspec.json.encode(turn)
        self.check(before.session, turn, event)
        self.conversation = turn.conversation

    def check(self, old: Session, turn: Turn, event: Event) -> None:
        new = turn.conversation.session
        assert len(turn.effects) <= 8
        assert new.owner == {"queued": "queue", "assigned": "operator", "waiting": "operator"}.get(new.status, "bot")
        assert bool(new.operator) == (new.owner == "operator")
        assert new.epoch == old.epoch + (owner(new) != owner(old))
        for effect in turn.effects:
            if isinstance(effect, Queue):
                assert not self.in_queue
                self.in_queue = True
            elif isinstance(effect, Unqueue):
                assert self.in_queue
                self.in_queue = False
        assert self.in_queue == (new.owner == "queue")
        if of(turn, AnswerBot):
            assert new.owner == "bot"
        for send in of(turn, Send):
            assert send.author != "bot"
            assert send.author == "notice" or (old.operator == send.operator and isinstance(event, OperatorAct))


@settings(max_examples=300, deadline=None)
@given(walks)
def test_one_owner_a_growing_epoch_and_a_queue_that_adds_up(walk: list[tuple[Event, int, int]]) -> None:
    walker = Walk()
    for event, minutes, behind in walk:
        walker.go(event, minutes, behind)


# --- a colleague who answers in the messenger itself -------------------------------------------------------------------

COLLEAGUE = ColleagueReply("vk:77", "Здравствуйте, посмотрим")


def answered(conversation: Conversation) -> Turn:
    turn = step(conversation, COLLEAGUE)
    assert of(turn, Send) == [], "the client has the answer already"
    return turn


@pytest.mark.parametrize("before", [fresh(), Conversation(1, "vk", "a", "c", 1)])
def test_a_colleague_silences_the_bot(before: Conversation) -> None:
    """From the bot, also before the client has written a word: who answered has the session, and the epoch grows."""
    session = answered(before).conversation.session
    assert (session.status, session.owner, session.operator) == ("waiting", "operator", "vk:77")
    assert session.epoch > before.session.epoch
    assert session.line == "support"


def test_a_colleague_takes_from_the_queue() -> None:
    turn = answered(queued())
    assert of(turn, Unqueue) == [Unqueue("taken")]
    assert StopTimer(WAIT_TIMER) in turn.effects
    assert turn.conversation.session.owner == "operator"


def test_a_colleague_does_not_take_from_an_operator() -> None:
    turn = answered(assigned())
    assert turn.conversation.session.operator == "anna"
    assert of(turn, StartTimer) == []


def test_the_session_of_a_colleague_ends_by_itself() -> None:
    """Everything answered: closed, and nobody is told. The client had the last word: the line's people are asked."""
    turn = answered(fresh())
    (timer,) = of(turn, StartTimer)
    assert timer.key == COLLEAGUE_TIMER
    over = step(turn.conversation, TimerFired(timer.key, timer.data))
    assert over.conversation.session.status == "closed"
    assert of(over, AnswerBot) == [AnswerBot("done", "support")]
    asked = step(turn.conversation, Message("А когда?")).conversation
    again = step(asked, TimerFired(timer.key, timer.data))
    assert (again.conversation.session.owner, again.conversation.session.line) == ("queue", "support")
    assert of(again, Queue) != []


def test_a_timer_of_an_earlier_colleague_is_void() -> None:
    turn = answered(fresh())
    (timer,) = of(turn, StartTimer)
    epoch = turn.conversation.session.epoch
    back = step(turn.conversation, OperatorAct("vk:77", "to_bot", epoch=epoch)).conversation
    later = step(back, TimerFired(timer.key, timer.data))
    assert later.conversation == back
