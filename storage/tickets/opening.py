"""The birth of a ticket: its row, the first line of its history, its session, and who learns of it."""

from __future__ import annotations

from typing import Any

from core.conversation import Conversation
from core.effects import CreateTicket
from core.normal import normal
from storage.codec import encode
from storage.ledger import Ledger
from storage.rows import Row
from storage.tickets.marks import record, tell_people

LONGEST = 4000  # characters of a ticket that a search looks through


def open_ticket(ledger: Ledger, home: Conversation, effect: CreateTicket, now: float) -> bool:
    """Write the ticket, once per key. False when there was one under this key."""
    if ledger.rows.has_ticket(effect.key):
        return False
    ledger.numbers.pass_over("ticket", effect.number)
    row = ticket_row(home, effect, now)
    ledger.rows.insert("tickets", row)
    entry: dict[str, Any] = {"at": now, "what": "created", "status": effect.status, "by": effect.author}
    if effect.deadline:
        entry["deadline"] = effect.deadline
    ledger.rows.insert("ticket_history", {"number": effect.number, "place": 1, "entry": encode(entry)})
    if home.session.number:
        link = {"ticket": effect.number, "conversation": home.id, "session": home.session.number, "at": now}
        ledger.rows.insert("ticket_sessions", {**link, "by": effect.author})
    tell_people(ledger, row, ["created"])
    record(ledger, row, "ticket_created", home.session.number, by=effect.author)
    return True


def ticket_row(home: Conversation, effect: CreateTicket, now: float) -> Row:
    """A new ticket as a row of `tickets`."""
    return {
        "number": effect.number,
        "key": effect.key,
        "desk": effect.desk,
        "title": effect.title,
        "text": effect.text,
        "fields": encode(effect.fields),
        "files": encode(effect.files),
        "private": encode(effect.private),
        "priority": effect.priority,
        "status": effect.status,
        "done": 0,
        "client": home.client,
        "conversation": home.id,
        "created_at": now,
        "updated_at": now,
        "outer_number": "",
        "outer_link": "",
        "category": effect.category,
        "assignee": effect.assignee,
        "line": effect.line or home.session.line,
        "author": effect.author,
        "words": words(effect.title, effect.text, effect.fields, effect.private),
        "waiting": 0,
        "rating": 0,
        "version": 1,
        "master": 0,
        "deadline": effect.deadline,
        "solved_at": 0.0,
    }


def words(title: str, text: str, fields: dict[str, str], private: tuple[str, ...]) -> str:
    """What a search looks through and what tickets are compared by: no private field, no letter case."""
    shown = (value for label, value in fields.items() if label not in private)
    return normal(" ".join((title, text, *shown)))[:LONGEST]
