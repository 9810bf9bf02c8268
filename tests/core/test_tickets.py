"""Tickets without a store: statuses of desks, since when a ticket stands, the names of news to clients."""

from __future__ import annotations

from typing import Any

import pytest

from core.tickets import (
    MEANS,
    USUAL,
    Desk,
    Means,
    Ticket,
    TicketStatus,
    news_slot,
    phases,
    read_news_slot,
    stands_since,
    usual_title,
)

NEW, WORK, ASKED, DONE = (
    TicketStatus("new", "Новая"),
    TicketStatus("work", "В работе"),
    TicketStatus("asked", "Ждём клиента", "waiting"),
    TicketStatus("done", "Решена", "done"),
)
DESK = Desk("repair", "Ремонт", needs=("Номер", "Адрес", "Фото"), statuses=(NEW, WORK, ASKED, DONE))
OUTER = Desk("outer", "Внешний", outer=True)


def ticket(**more: Any) -> Ticket:
    made: dict[str, Any] = {
        "number": 1,
        "desk": "repair",
        "title": "Ремонт",
        "text": "",
        "fields": {},
        "files": (),
        "priority": "",
        "status": "new",
        "done": False,
        "client": 1,
        "conversation": 1,
        "created_at": 0.0,
        "updated_at": 0.0,
    }
    return Ticket(**{**made, **more})


# --- statuses --------------------------------------------------------------------------------------------------------


def test_a_status_is_known_by_its_word_and_by_its_title() -> None:
    assert DESK.known("asked") is ASKED
    assert DESK.known("Ждём клиента") is ASKED, "rows of older versions hold titles"
    assert DESK.known("ASKED") is None
    assert DESK.known("") is None


@pytest.mark.parametrize(("done", "means"), [(False, "open"), (True, "done")])
def test_a_status_that_the_desk_does_not_hold_is_shown_as_it_is(done: bool, means: Means) -> None:
    assert DESK.status("На складе", done) == TicketStatus("На складе", "На складе", means)
    assert OUTER.status("waiting", done) == TicketStatus("waiting", "waiting for you", means), (
        "a usual word has a title"
    )


def test_a_held_status_keeps_its_own_group() -> None:
    assert DESK.status("asked", done=True) is ASKED


@pytest.mark.parametrize(
    ("statuses", "first", "again"),
    [
        ((NEW, WORK, ASKED, DONE), NEW, WORK),
        ((DONE, ASKED, WORK, NEW), WORK, NEW),
        ((NEW, DONE), NEW, NEW),
        ((ASKED, DONE), TicketStatus("new", "new"), TicketStatus("new", "new")),
        ((), TicketStatus("new", "new"), TicketStatus("new", "new")),
    ],
    ids=["usual", "in another order", "one is open", "none is open", "none at all"],
)
def test_where_a_ticket_begins_and_goes_on(
    statuses: tuple[TicketStatus, ...], first: TicketStatus, again: TicketStatus
) -> None:
    desk = Desk("it", "Стол", statuses=statuses)
    assert (desk.first, desk.again) == (first, again)


def test_usual_statuses_have_every_group_and_their_titles() -> None:
    assert {means for _, _, means in USUAL} == set(MEANS)
    assert usual_title("open") == "in work"
    assert usual_title("На складе") == "На складе"


@pytest.mark.parametrize(
    ("given", "lacking"),
    [
        ([], ["Номер", "Адрес", "Фото"]),
        (["Фото", "Номер"], ["Адрес"]),
        (["номер", "Цвет"], ["Номер", "Адрес", "Фото"]),
        (["Адрес", "Номер", "Фото", "Цвет"], []),
    ],
)
def test_what_a_desk_still_needs(given: list[str], lacking: list[str]) -> None:
    assert DESK.lacking(iter(given)) == lacking


@pytest.mark.parametrize(
    ("done", "waiting", "means"),
    [(False, False, "open"), (False, True, "waiting"), (True, False, "done"), (True, True, "done")],
)
def test_the_group_of_a_ticket(done: bool, waiting: bool, means: Means) -> None:
    assert ticket(done=done, waiting=waiting).means == means


def test_comments_are_the_entries_that_say_something() -> None:
    said = {"at": 2.0, "what": "comment", "by": "client", "comment": "Когда?"}
    history = [{"at": 1.0, "what": "created"}, said, {"at": 3.0, "what": "changed", "comment": ""}]
    assert ticket(history=history).comments == [said]
    assert ticket().comments == []


# --- phases ----------------------------------------------------------------------------------------------------------


def entry(at: float, state: str = "", what: str = "changed") -> dict[str, Any]:
    """An entry of a history; `state` `-` changes no status."""
    if state == "-":
        return {"at": at, "what": what, "comment": "…"}
    return {"at": at, "what": what, "status": state or "open", "done": state == "done", "waiting": state == "waiting"}


CREATED = {"at": 10, "what": "created"}


@pytest.mark.parametrize(
    ("entries", "found", "since"),
    [
        ([], [], 0.0),
        ([CREATED], [(10.0, "open")], 0.0),
        ([CREATED, entry(20, "-")], [(10.0, "open")], 0.0),
        ([CREATED, entry(20, "open")], [(10.0, "open")], 0.0),
        ([CREATED, entry(20, "waiting")], [(10.0, "open"), (20.0, "waiting")], 20.0),
        (
            [CREATED, entry(20, "waiting"), entry(25, "waiting"), entry(30, "done")],
            [(10.0, "open"), (20.0, "waiting"), (30.0, "done")],
            20.0,
        ),
        (
            [CREATED, entry(20, "done"), entry(30, "open"), entry(40, "done")],
            [(10.0, "open"), (20.0, "done"), (30.0, "open"), (40.0, "done")],
            40.0,
        ),
        ([CREATED, entry(20, "done"), entry(30, "")], [(10.0, "open"), (20.0, "done"), (30.0, "open")], 0.0),
    ],
    ids=["empty", "new", "a comment", "still open", "waits", "waits, then solved", "opened again", "goes on"],
)
def test_since_when_a_ticket_stands(
    entries: list[dict[str, Any]], found: list[tuple[float, Means]], since: float
) -> None:
    assert phases(entries) == found
    assert stands_since(entries) == since


# --- news ------------------------------------------------------------------------------------------------------------


def test_a_slot_of_news_is_read_back() -> None:
    assert news_slot(7, 0, 12) != news_slot(7, 1, 2)
    assert read_news_slot(news_slot(7, 0, 12)) == (7, 0, 12)


@pytest.mark.parametrize(
    "slot",
    ["", "ticket", "ticket:1:2", "ticket:1:2:3:4", "ticket:1:2:", "ticket:1:-2:3", "ticket:a:2:3", "other:1:2:3"],
)
def test_other_slots_are_no_news(slot: str) -> None:
    assert read_news_slot(slot) is None
