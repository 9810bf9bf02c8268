"""What people do with a ticket beside changing it: private notes, sessions, duplicates, a further push to its outer desk."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, insert, literal_column, select

from core.outbox import OutboxRow
from core.tickets import Refused
from storage import shape
from storage.codec import encode
from storage.ledger import Ledger
from storage.rows import Row
from storage.tickets.changing import set_master
from storage.tickets.marks import tell_people
from storage.tickets.schema import ticket_notes, ticket_sessions
from storage.work.schema import sessions
from storage.work.units import asked

_one: ColumnElement[int] = literal_column("1")
ADD_NOTE = insert(ticket_notes).values({name: bindparam(name) for name in ("ticket", "at", "author", "text")})
_THIS = (
    ticket_sessions.c.ticket == bindparam("number"),
    ticket_sessions.c.conversation == bindparam("home"),
    ticket_sessions.c.session == bindparam("place"),
)
HAS_LINK = select(_one).select_from(ticket_sessions).where(*_THIS)
ADD_LINK = insert(ticket_sessions).values(
    {name: bindparam(name) for name in ("ticket", "conversation", "session", "at", "by")}
)
DROP_LINK = delete(ticket_sessions).where(*_THIS)
HAS_SESSION = (
    select(_one)
    .select_from(sessions)
    .where(sessions.c.conversation == bindparam("home"), sessions.c.number == bindparam("place"))
)


def add_note(ledger: Ledger, number: int, author: str, text: str) -> Refused:
    """A private note. Its text is written nowhere else."""
    row = ledger.rows.ticket_row(number)
    if row is None:
        return "missing"
    asked(ledger).run(ADD_NOTE, ticket=number, at=ledger.clock(), author=author, text=text)
    _note_down(ledger, row, "note", author)
    return ""


def link_session(ledger: Ledger, number: int, conversation: int, session: int, by: str) -> Refused:
    """The ticket belongs to the session, too. No harm when it does already."""
    row, run = ledger.rows.ticket_row(number), asked(ledger)
    if row is None or run.value(HAS_SESSION, home=conversation, place=session) is None:
        return "missing"
    if run.value(HAS_LINK, number=number, home=conversation, place=session) is None:
        link = {"ticket": number, "conversation": conversation, "session": session}
        run.run(ADD_LINK, **link, at=ledger.clock(), by=by)
        _note_down(ledger, row, "linked", by, conversation=conversation, session=session)
    return ""


def unlink_session(ledger: Ledger, number: int, conversation: int, session: int, by: str) -> Refused:
    """It does not belong there any more."""
    row, run = ledger.rows.ticket_row(number), asked(ledger)
    if row is None or run.value(HAS_LINK, number=number, home=conversation, place=session) is None:
        return "missing"
    run.run(DROP_LINK, number=number, home=conversation, place=session)
    _note_down(ledger, row, "unlinked", by, conversation=conversation, session=session)
    return ""


def join_tickets(ledger: Ledger, master: int, duplicate: int, by: str) -> Refused:
    """A duplicate follows its master from now on; what it was stays in it, so that it can be taken apart again."""
    found = {number: ledger.rows.ticket_row(number) for number in sorted({master, duplicate})}
    one, other = found[master], found[duplicate]
    if one is None or other is None:
        return "missing"
    if one["master"] or other["master"] or master == duplicate:
        return "joined"
    if ledger.rows.joined_tickets(duplicate):
        return "has_joined"
    set_master(ledger, other, master, by)
    _note_down(ledger, one, "took_in", by, number=duplicate)
    return ""


def take_apart(ledger: Ledger, number: int, by: str) -> Refused:
    """The join undone: the ticket is what it was before."""
    row = ledger.rows.ticket_row(number)
    if row is None or not row["master"]:
        return "missing"
    master = ledger.rows.ticket_row(row["master"])
    set_master(ledger, row, 0, by)
    if master is not None:
        _note_down(ledger, master, "let_go", by, number=number)
    return ""


def push_again(ledger: Ledger, number: int, by: str) -> Refused:
    """Send the ticket to its outer desk once more; the desk tells repeats by our number."""
    row = ledger.rows.ticket_row(number)
    home = ledger.rows.conversation(row["conversation"]) if row is not None else None
    if row is None or home is None or row["desk"] not in ledger.outer_desks:
        return "missing"
    id = ledger.numbers.take("outbox")
    order = OutboxRow(
        id=id,
        conversation=home.id,
        kind="ticket",
        channel=home.channel,
        account=home.account,
        chat=home.chat,
        key=ledger.key(id),
        epoch=home.session.epoch,
        created_at=ledger.clock(),
        payload={"number": number, "key": "", "wait": False},
    )
    ledger.rows.insert("outbox", shape.outbox_table_row(order))
    ledger.unit.left.add("")
    _note_down(ledger, row, "pushed", by)
    return ""


def _note_down(ledger: Ledger, row: Row, what: str, by: str, **more: Any) -> None:
    """A line of the history and of the feed about what changes no column."""
    place = len(ledger.rows.ticket_entries(row["number"])) + 1
    entry = {"at": ledger.clock(), "what": what, "by": by, **more}
    ledger.rows.insert("ticket_history", {"number": row["number"], "place": place, "entry": encode(entry)})
    tell_people(ledger, row, [what])
