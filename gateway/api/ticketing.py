"""A ticket out of a conversation: a draft filled in with what is known, and its creation through the one door."""

from __future__ import annotations

import secrets

from bot.rules import CARD
from core.accounts import operator_id
from core.effects import CreateTicket
from core.events import OperatorAct
from core.locale import n_
from core.tickets import Desk
from gateway.api.deeds import find_session, require_done
from gateway.api.models_tickets import DraftField, DraftQuery, NewTicket, TicketDone, TicketDraft
from gateway.api.problems import Problem
from gateway.api.route import WORKERS, Call, Route
from gateway.api.showing_tickets import done, likely
from gateway.api.tickets import READ, WRITE, require_category, require_files, require_person
from gateway.api.transfers import known_here
from gateway.floor import StillUnderWay
from storage.rows import Row
from storage.tickets.opening import words
from storage.tickets.reading import likely_duplicates
from storage.work.outcomes import EventFailed

TITLE = 200  # characters


def find_desk(call: Call, id: str) -> Desk:
    """Raises `Problem` for a desk that is not there."""
    desk = call.floor.desks.get(id)
    if desk is None:
        raise Problem("unknown-desk", errors=[{"pointer": "desk", "detail": ", ".join(call.floor.desks)}])
    return desk


async def ticket_draft(call: Call) -> TicketDraft:
    """All that was collected, the desk's needs first."""
    asked: DraftQuery = call.query
    row = await find_session(call, call.id)
    desk = find_desk(call, asked.desk)
    known = await _known(call, desk)
    labels = dict.fromkeys((*desk.needs, *known))
    text = await _question(call, row)
    title = text.splitlines()[0][:TITLE] if text else ""
    about = asked.about.strip()
    alike = await _alike(
        call, row["client"], words(about or title, "" if about else text, known, tuple(private_labels(call)))
    )
    return TicketDraft(
        desk=desk.id,
        title=title,
        text=text,
        fields=[DraftField(label=it, text=known.get(it, ""), needed=it in desk.needs) for it in labels],
        missing=desk.lacking(label for label, value in known.items() if value.strip()),
        categories=list(desk.categories),
        likely=likely(call.floor.desks, alike),
    )


async def _known(call: Call, desk: Desk) -> dict[str, str]:
    """What was collected, and of the client's card only what the desk asks for: the rest stands on the card."""
    known = await known_here(call)
    card = {label.capitalize() for label in CARD} - set(desk.needs)
    return {label: text for label, text in known.items() if label not in card}


async def _question(call: Call, row: Row) -> str:
    """What the operator was told the client wants: the note of the session."""
    conversation = await call.floor.store.conversation(call.id)
    return conversation.session.note.strip() if conversation is not None else ""


async def _alike(call: Call, client: int, text: str, number: int = 0) -> list[tuple[Row, float]]:
    sight, now = call.floor.sight(call.who), call.floor.now().timestamp()
    return await call.floor.units.ask(lambda reads: likely_duplicates(reads, sight, client, text, now, number))


def private_labels(call: Call) -> set[str]:
    """Labels of fields that flows call private."""
    book = call.floor.book()
    flows = book.flows.values() if book is not None else ()
    return {field.label for flow in flows for field in flow.flow.fields.values() if field.private}


async def create_ticket(call: Call) -> TicketDone:
    """Refused with the list of what the desk needs and nobody said."""
    body: NewTicket = call.body
    row = await find_session(call, call.id)
    desk = find_desk(call, body.desk)
    fields = {
        label: text.strip() for label, text in {**await _known(call, desk), **body.fields}.items() if text.strip()
    }
    missing = desk.lacking(fields)
    if missing:
        errors = [{"pointer": f"/fields/{label}", "detail": n_("The desk needs this.")} for label in missing]
        raise Problem("needs-missing", errors=errors)
    if body.category:
        require_category(desk, body.category)
    if body.assignee:
        await require_person(call, body.assignee, row["line"] or call.floor.channel_lines.get(row["channel"], ""))
    await require_files(call, body.files, row["client"])
    return await _open(call, body, row, fields)


async def _open(call: Call, body: NewTicket, row: Row, fields: dict[str, str]) -> TicketDone:
    private = private_labels(call) & set(fields)
    key = call.key or secrets.token_hex(12)
    data = {
        **{"key": key, "desk": body.desk, "title": body.title, "fields": fields, "files": body.files},
        **{"priority": body.priority, "category": body.category, "tell": body.tell, "private": sorted(private)},
        "assignee": operator_id(body.assignee) if body.assignee else "",
        "deadline": body.deadline.timestamp() if body.deadline else 0.0,
    }
    event = OperatorAct(operator_id(call.me.id), "ticket", body.text, client_key=call.key, data=data)
    try:
        came = await call.floor.act(call.id, event, f"api:{call.me.id}:{key}")
    except StillUnderWay:
        raise Problem("under-way", n_("It will be done; look again soon.")) from None
    except EventFailed as failed:
        raise Problem("failed", str(failed)) from None
    require_done(came)
    number = next(effect.number for effect in came.effects if isinstance(effect, CreateTicket))
    text = words(body.title, body.text, fields, tuple(private))
    alike = likely(call.floor.desks, await _alike(call, row["client"], text, number))
    status = call.floor.desks[body.desk].first
    made = {"number": number, "version": 1, "status": status.word, "done": 0, "waiting": 0}
    return done(made, alike)


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/conversations/{id}/ticket-draft",
        ticket_draft,
        "A ticket for a desk, filled in with what is known; and what may be the same matter",
        WORKERS,
        READ,
        query=DraftQuery,
        answer=TicketDraft,
        problems=("unknown-desk",),
    ),
    Route(
        "POST",
        "/conversations/{id}/tickets",
        create_ticket,
        "Create a ticket out of a conversation",
        WORKERS,
        WRITE,
        body=NewTicket,
        answer=TicketDone,
        status=201,
        keyed=True,
        problems=(
            *("not-found", "unknown-desk", "needs-missing", "unknown-category", "unknown-person", "unknown-file"),
            *("not-now", "failed", "under-way"),
        ),
    ),
)
