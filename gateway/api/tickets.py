"""Routes of tickets: lists, one with all that belongs to it, and what people do with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from core.access import Sight
from core.accounts import User, operator_id
from core.locale import n_
from core.normal import clean
from core.tickets import Desk, Refused, TicketChange, TicketStatus
from gateway.api.keyset import read_place, write_place
from gateway.api.models_tickets import (
    Desks,
    Duplicate,
    NoWords,
    SessionOf,
    TicketCounts,
    TicketDone,
    TicketEdit,
    TicketFilters,
    TicketList,
    TicketPageView,
    TicketPeople,
    TicketPerson,
    TicketsQuery,
    TicketWords,
)
from gateway.api.problems import Problem
from gateway.api.route import WORKERS, Call, Route
from gateway.api.showing_tickets import (
    Faces,
    count_view,
    desk_of,
    desk_view,
    done,
    faces,
    file_view,
    item,
    ledger_view,
    page_view,
    people_of,
)
from storage.asked import Asked
from storage.ledger import Ledger
from storage.rows import Row
from storage.tickets.changing import change_ticket
from storage.tickets.deeds import add_note, join_tickets, link_session, push_again, take_apart, unlink_session
from storage.tickets.reading import TicketPage, TicketQuery, count_tickets, list_tickets, seen_ticket, ticket_page
from storage.work.sessions import seen_sessions

READ, WRITE = "tickets:read", "tickets:write"
MOST_PEOPLE = 1000  # accounts that are looked through for an assignee
PROBLEMS: dict[Refused, str] = {
    "missing": "not-found",
    "stale": "ticket-changed",
    "joined": "ticket-joined",
    "has_joined": "ticket-joined",
}
DETAILS: dict[Refused, str] = {"has_joined": "Tickets are joined to it; join those first."}

Deed = Callable[[Ledger], Refused]


# --- looking ---------------------------------------------------------------------------------------------------------


async def list_desks(call: Call) -> Desks:
    return Desks(items=[desk_view(desk) for desk in call.floor.desks.values()])


async def show_tickets(call: Call) -> TicketList:
    asked: TicketsQuery = call.query
    more = {"sort": asked.sort, "limit": asked.limit, "after": read_place(asked.cursor, asked.sort)}
    query, sight = msgspec.structs.replace(_query(call, asked), **more), call.floor.sight(call.who)

    def look(reads: Asked) -> tuple[list[Row], Faces]:
        found = list_tickets(reads, sight, query)
        return found, faces(call, reads, (row["assignee"] for row in found))

    found, known = await call.floor.units.ask(look)
    shown, last = found[: asked.limit], found[asked.limit - 1 : asked.limit]
    next = write_place(asked.sort, last[0]["sort_key"], last[0]["number"]) if len(found) > asked.limit else None
    return TicketList(items=[item(known, row) for row in shown], next=next)


async def count_them(call: Call) -> TicketCounts:
    query, sight = _query(call, call.query), call.floor.sight(call.who)
    found = await call.floor.units.ask(lambda reads: count_tickets(reads, sight, query))
    return TicketCounts(items=[count_view(call.floor.desks, row) for row in found])


def _query(call: Call, asked: TicketFilters) -> TicketQuery:
    """What filters let through."""
    whose = {"me": operator_id(call.me.id), "nobody": ""}.get(asked.assignee, asked.assignee)
    return TicketQuery(
        desk=asked.desk,
        group=asked.group,
        status=asked.status,
        assignee=whose,
        nobodys=asked.assignee == "nobody",
        late_at=call.floor.now().timestamp() if asked.overdue else 0.0,
        client=asked.client,
        line=asked.line,
        q=asked.q,
        session=(asked.conversation, asked.session) if asked.conversation else None,
    )


async def show_ticket(call: Call) -> TicketPageView:
    sight, now = call.floor.sight(call.who), call.floor.now().timestamp()

    def look(reads: Asked) -> tuple[TicketPage, Faces] | None:
        page = ticket_page(reads, sight, call.id, now)
        return (page, faces(call, reads, people_of(page))) if page is not None else None

    found = await call.floor.units.ask(look)
    if found is None:
        raise Problem("not-found")
    page, known = found
    ticket = await call.floor.store.ticket(call.id)
    files = [await call.floor.store.file(id) for id in (ticket.files if ticket else ())]
    line = desk_of(call.floor.desks, page.row).line or page.row["line"]
    ledger = ledger_view(known, page, call.floor.house().lines.get(line), now)
    return page_view(known, page, [file_view(call, file) for file in files if file is not None], ledger)


async def show_people(call: Call) -> TicketPeople:
    """By title."""
    row = await find_ticket(call, call.id)
    users = await call.people.accounts.users(Sight(everything=True), limit=MOST_PEOPLE)
    able = [user for user in users if may_have(user, row["line"])]
    people = [TicketPerson(user=user.id, title=user.title) for user in able]
    return TicketPeople(items=sorted(people, key=lambda it: (it.title.casefold(), it.user)))


async def find_ticket(call: Call, number: int) -> Row:
    """A ticket that the caller may see. Raises `Problem` (404)."""
    sight = call.floor.sight(call.who)
    row = await call.floor.units.ask(lambda reads: seen_ticket(reads, sight, number))
    if row is None:
        raise Problem("not-found")
    return row


# --- doing -----------------------------------------------------------------------------------------------------------


async def edit_ticket(call: Call) -> TicketDone:
    """One change, however much of it: the client hears of it once."""
    body: TicketEdit = call.body
    row = await find_ticket(call, call.id)
    desk = desk_of(call.floor.desks, row)
    if body.assignee:
        await require_person(call, body.assignee, row["line"])
    if body.category:
        require_category(desk, body.category)
    await require_files(call, body.files, row["client"])
    given = body.model_fields_set
    change = TicketChange(
        call.id,
        operator_id(call.me.id),
        version=body.version,
        key=_key(call),
        status=find_status(desk, body.status) if body.status else None,
        title=body.title,
        priority=body.priority,
        category=body.category,
        assignee=None if body.assignee is None else operator_id(body.assignee) if body.assignee else "",
        deadline=(body.deadline.timestamp() if body.deadline else 0.0) if "deadline" in given else None,
        fields={label: clean(text).strip() for label, text in body.fields.items()},
        files=tuple(body.files),
        comment=clean(body.comment).strip(),
        desk=desk,
    )
    return await do(call, lambda ledger: change_ticket(ledger, change))


async def comment_ticket(call: Call) -> TicketDone:
    body: TicketWords = call.body
    row = await find_ticket(call, call.id)
    said = clean(body.text).strip()
    if not said:
        raise Problem("nothing-said")
    by, desk = operator_id(call.me.id), desk_of(call.floor.desks, row)
    change = TicketChange(call.id, by, key=_key(call), comment=said, desk=desk)
    return await do(call, lambda ledger: change_ticket(ledger, change))


async def note_ticket(call: Call) -> TicketDone:
    body: TicketWords = call.body
    await find_ticket(call, call.id)
    said = clean(body.text).strip()
    if not said:
        raise Problem("nothing-said")
    return await do(call, lambda ledger: add_note(ledger, call.id, operator_id(call.me.id), said))


async def link_ticket(call: Call) -> TicketDone:
    return await _linking(call, link_session)


async def unlink_ticket(call: Call) -> TicketDone:
    return await _linking(call, unlink_session)


async def _linking(call: Call, deed: Callable[[Ledger, int, int, int, str], Refused]) -> TicketDone:
    """Both the ticket and the session must be seen."""
    body: SessionOf = call.body
    await find_ticket(call, call.id)
    sight, wanted = call.floor.sight(call.who), [(body.conversation, body.session)]
    if not await call.floor.units.ask(lambda reads: seen_sessions(reads, sight, wanted)):
        raise Problem("not-found")
    by = operator_id(call.me.id)
    return await do(call, lambda ledger: deed(ledger, call.id, body.conversation, body.session, by))


async def join_duplicate(call: Call) -> TicketDone:
    body: Duplicate = call.body
    for number in (call.id, body.number):
        await find_ticket(call, number)
    return await do(call, lambda ledger: join_tickets(ledger, call.id, body.number, operator_id(call.me.id)))


async def unjoin_ticket(call: Call) -> TicketDone:
    await find_ticket(call, call.id)
    return await do(call, lambda ledger: take_apart(ledger, call.id, operator_id(call.me.id)))


async def push_ticket(call: Call) -> TicketDone:
    row = await find_ticket(call, call.id)
    if not desk_of(call.floor.desks, row).outer:
        raise Problem("not-outer")
    by = operator_id(call.me.id)
    return await do(call, lambda ledger: push_again(ledger, call.id, by), (row["conversation"],))


async def do(call: Call, deed: Deed, homes: tuple[int, ...] = ()) -> TicketDone:
    """One unit of writing; the ticket as it is then. Raises `Problem`."""

    def work(ledger: Ledger) -> tuple[Refused, Row | None]:
        return deed(ledger), ledger.rows.ticket_row(call.id)

    why, row = await call.floor.units.write(work, homes)
    if why or row is None:
        raise Problem(PROBLEMS.get(why, "conflict"), DETAILS.get(why, ""))
    call.floor.wake()
    return done(row)


# --- what must be so -------------------------------------------------------------------------------------------------


def find_status(desk: Desk, word: str) -> TicketStatus:
    """Raises `Problem` for a word that the desk does not have. A desk without statuses takes any."""
    status = desk.known(word)
    if status is None and (desk.statuses and not desk.outer):
        raise Problem("unknown-status", errors=_choices("/status", (it.word for it in desk.statuses)))
    return status or desk.status(word)


def require_category(desk: Desk, category: str) -> None:
    """Raises `Problem` for a category that the desk does not have."""
    if category not in desk.categories:
        raise Problem("unknown-category", errors=_choices("/category", desk.categories))


async def require_person(call: Call, user: int, line: str) -> None:
    """Whoever gets a ticket must work in its line. Raises `Problem`."""
    found = await call.people.accounts.user(user)
    if found is None or not may_have(found, line):
        detail = "Nobody of that number works in the ticket's line."
        raise Problem("unknown-person", errors=[{"pointer": "/assignee", "detail": detail}])


def may_have(user: User, line: str) -> bool:
    """Whether somebody may be given a ticket of a line (empty: of none)."""
    return user.active and user.role in WORKERS and (user.role == "admin" or not line or line in user.lines)


async def require_files(call: Call, ids: list[str], client: int) -> None:
    """Files are those of the client's conversations, or just given to us. Raises `Problem`."""
    for place, id in enumerate(ids):
        file = await call.floor.store.file(id)
        home = await call.floor.store.conversation(file.conversation) if file and file.conversation else None
        if file is None or (home is not None and home.client != client):
            raise Problem(
                "unknown-file", errors=[{"pointer": f"/files/{place}", "detail": n_("There is no such file.")}]
            )


def _choices(pointer: str, known: Any) -> list[dict[str, str]]:
    return [{"pointer": pointer, "detail": ", ".join(known) or "There are none."}]


def _key(call: Call) -> str:
    return f"api:{call.me.id}:{call.key}" if call.key else ""


def _route(name: str, handler: Any, summary: str, body: Any, *problems: str) -> Route:
    return Route(
        "POST",
        f"/tickets/{{id}}/{name}",
        handler,
        summary,
        WORKERS,
        WRITE,
        body=body,
        answer=TicketDone,
        keyed=True,
        problems=("not-found", "conflict", *problems),
    )


ROUTES: tuple[Route, ...] = (
    Route("GET", "/desks", list_desks, "The desks with their statuses", WORKERS, READ, answer=Desks),
    Route("GET", "/tickets", show_tickets, "Tickets", WORKERS, READ, query=TicketsQuery, answer=TicketList),
    Route(
        *("GET", "/tickets/counts", count_them, "How many tickets there are by desk and status", WORKERS, READ),
        query=TicketFilters,
        answer=TicketCounts,
    ),
    Route("GET", "/tickets/{id}", show_ticket, "A ticket", WORKERS, READ, answer=TicketPageView),
    Route(
        "GET",
        "/tickets/{id}/people",
        show_people,
        "Who may be given the ticket",
        WORKERS,
        READ,
        answer=TicketPeople,
        problems=("not-found",),
    ),
    Route(
        "PATCH",
        "/tickets/{id}",
        edit_ticket,
        "Change a ticket, compared with the version that was seen; with a comment for the client if there is one",
        WORKERS,
        WRITE,
        body=TicketEdit,
        answer=TicketDone,
        keyed=True,
        problems=(
            *("not-found", "ticket-changed", "ticket-joined", "conflict"),
            *("unknown-status", "unknown-category", "unknown-person", "unknown-file"),
        ),
    ),
    _route(
        "comment",
        comment_ticket,
        "A comment that the client gets at once",
        TicketWords,
        "ticket-joined",
        "nothing-said",
    ),
    _route("note", note_ticket, "A note that only people at work see", TicketWords, "nothing-said"),
    _route("link", link_ticket, "The ticket belongs to a session, too", SessionOf),
    _route("unlink", unlink_ticket, "It does not belong to a session any more", SessionOf),
    _route(
        "join",
        join_duplicate,
        "Join a duplicate to this ticket; its client hears of it, too",
        Duplicate,
        "ticket-joined",
    ),
    _route("unjoin", unjoin_ticket, "Take a joined ticket apart again", NoWords),
    _route("push", push_ticket, "Send the ticket to its outer desk once more", NoWords, "not-outer"),
)
