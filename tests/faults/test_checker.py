"""The checker finds what it is there for: one planted breach of every kind, and none in a healthy history."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.checker import Bounds, align, check
from tests.faults.clients import Journal, Update
from tests.faults.history import Event, History, Row, Timer, Word
from tests.faults.page import Shown


def healthy() -> History:
    """Two messages of one client, both answered; a ticket; a timer that is not due yet; a page that shows it all."""
    journal = Journal(tickets=["Сломалось"], replies=["Что случилось?"], missed=[])
    journal.updates = {1: Update(1, 7, "заявка", 1.0, 2.0), 2: Update(2, 7, "Сломалось", 3.0, 4.0)}
    return History(
        events=[
            Event(1, 5, "telegram", "u:1", 1, 100),
            Event(2, 5, "telegram", "u:2", 1, 200),
            Event(3, 5, "", "timer:silence:3", 1, 300),
        ],
        words=[
            Word(5, 1, "client", "received", ""),
            Word(5, 2, "bot", "sent", "Что случилось?"),
            Word(5, 3, "client", "received", ""),
            Word(5, 4, "bot", "sent", "Заявка 1 создана."),
        ],
        rows=[Row(1, 5, "send", 1, 2, 1), Row(2, 5, "send", 1, 4, 1)],
        tickets=[(1, "Сломалось")],
        timers=[Timer(5, "silence", 2_000.0), Timer(5, "other", None)],
        chats={5: "7"},
        now=1_000.0,
        journal=journal,
        told={7: ["Что случилось?", "Заявка 1 создана."]},
        pages=[Shown("7", {2: "Что случилось?", 4: "Заявка 1 создана."})],
    )


def test_a_healthy_history_is_healthy() -> None:
    assert check(healthy(), Bounds()) == []


Harm = Callable[[History], None]


def lost_update(it: History) -> None:
    del it.events[1]


def doubled_update(it: History) -> None:
    it.events.append(Event(9, 5, "telegram", "u:2", 1, 400))


def invented_update(it: History) -> None:
    it.events.append(Event(9, 5, "telegram", "u:3", 1, 400))


def waiting_event(it: History) -> None:
    it.events[2] = it.events[2]._replace(state=0)


def dead_event(it: History) -> None:
    it.events[2] = it.events[2]._replace(state=2)


def gap(it: History) -> None:
    it.pages.clear()
    it.words[:] = [word._replace(seq=word.seq + (word.seq > 2)) for word in it.words]


def doubled_place(it: History) -> None:
    it.pages.clear()
    it.words[3] = it.words[3]._replace(seq=3)


def overtaken(it: History) -> None:
    it.events[0] = it.events[0]._replace(place=250)


def stuck_row(it: History) -> None:
    it.rows[1] = it.rows[1]._replace(state=0)


def told_backwards(it: History) -> None:
    it.told[7].reverse()


def never_told(it: History) -> None:
    del it.told[7][1]


def told_from_nowhere(it: History) -> None:
    it.told[7].append("Что-то ещё")


def still_pending(it: History) -> None:
    it.pages.clear()
    it.words[3] = it.words[3]._replace(state="pending")


def repeated(it: History) -> None:
    it.told[7].append("Заявка 1 создана.")


def doubled_ticket(it: History) -> None:
    it.tickets.append((2, "Сломалось"))


def lost_ticket(it: History) -> None:
    it.tickets.clear()


def said_twice(it: History) -> None:
    it.pages.clear()
    it.words.append(Word(5, 5, "bot", "sent", "Что случилось?"))
    it.told[7].append("Что случилось?")


def never_said(it: History) -> None:
    it.journal.replies.append("Вы ещё здесь?")


def overdue_timer(it: History) -> None:
    it.timers[0] = Timer(5, "silence", 900.0)


def page_misses(it: History) -> None:
    del it.pages[0].items[4]


def page_invents(it: History) -> None:
    it.pages[0].items[6] = "Что-то ещё"


def page_differs(it: History) -> None:
    it.pages[0].items[4] = "Заявка 2 создана."


def no_answer(it: History) -> None:
    it.journal.missed.append("chat 7")


BREACHES: dict[Harm, str] = {
    lost_update: "I1",
    doubled_update: "I1",
    invented_update: "I1",
    waiting_event: "I1",
    dead_event: "I1",
    gap: "I2",
    doubled_place: "I2",
    overtaken: "I3",
    stuck_row: "I4",
    told_backwards: "I5",
    never_told: "I5",
    told_from_nowhere: "I5",
    still_pending: "I5",
    repeated: "I6",
    doubled_ticket: "I7",
    lost_ticket: "I7",
    said_twice: "I7",
    never_said: "I7",
    overdue_timer: "I7",
    page_misses: "I8",
    page_invents: "I8",
    page_differs: "I8",
    no_answer: "answer",
}


@pytest.mark.parametrize("harm", BREACHES, ids=lambda harm: harm.__name__)
def test_every_breach_is_found(harm: Harm) -> None:
    history = healthy()
    harm(history)
    assert {violation.rule for violation in check(history, Bounds())} == {BREACHES[harm]}


def test_repeats_are_counted_against_their_bound() -> None:
    history = healthy()
    history.told[7] = ["Что случилось?"] * 2 + ["Заявка 1 создана."] * 2
    assert [it.rule for it in check(history, Bounds(kills=1))] == ["I6", "I6"], "one chat, and all in all"
    assert [it.rule for it in check(history, Bounds(kills=1, at_once=30))] == ["I6"], "one chat sees one repeat a kill"
    assert check(history, Bounds(kills=2)) == []
    assert check(history, Bounds(kills=1, doubts=1)) == []
    history.unanswered = {7: 2}
    assert check(history, Bounds()) == []


def test_what_nobody_knows_may_be_missing() -> None:
    said = [Word(5, 1, "bot", "sent", "a"), Word(5, 2, "bot", "failed", "b"), Word(5, 3, "bot", "sent", "c")]
    assert align(said, ["a", "c"]) == (0, [])
    assert align(said, ["a", "b", "b", "c"]) == (1, [])
    assert align(said, ["b", "c"])[1], "a message that is marked as sent may not be missing"


def test_dead_events_are_wanted_where_they_are_asked_for() -> None:
    history = healthy()
    dead_event(history)
    assert check(history, Bounds(dead=1)) == []
    assert [it.rule for it in check(healthy(), Bounds(dead=1))] == ["I1"]
