"""What there is to be found of a conversation, a client or a ticket: read from what is committed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, literal_column, select

from core.conversation import Conversation, Run
from core.events import Edited, Event, Message, Press
from storage.asked import Asked
from storage.codec import decode_conversation, decode_dict, decode_event, decode_marks, decode_message
from storage.joining.cards import part_of
from storage.rows import Row
from storage.search.port import Document
from storage.search.words import LONGEST
from storage.tables import clients, conversations, message_marks, messages, notes, ticket_history, tickets

BACK = 100  # messages before the last one known that are read again: they may have been under way
PAGE = 500
SPOKEN = ("client", "operator")  # what the bot and the house say is said to everybody: it would hide the rest
COLLECTED = "collected"  # in the memory of a talk: label → text
# Of a client's card, what is no word about them.
SILENT = {"id", "language", "channel", "verified", "part_of", "join"}
_zero: Any = literal_column("0")

_said = (messages.c.seq, messages.c.author, messages.c.at, messages.c.event, messages.c.message, messages.c.state)
_marked = (message_marks.c.conversation == messages.c.conversation) & (message_marks.c.seq == messages.c.seq)
STATE = select(conversations.c.state, conversations.c.version).where(conversations.c.id == bindparam("home"))
BEHIND = (
    select(*_said, message_marks.c.marks)
    .outerjoin(message_marks, _marked)
    .where(messages.c.conversation == bindparam("home"), messages.c.seq > bindparam("after"))
    .order_by(messages.c.seq)
    .limit(bindparam("n"))
    .offset(_zero)
)
MARKED = (
    select(*_said, message_marks.c.marks)
    .join(message_marks, _marked)
    .where(message_marks.c.conversation == bindparam("home"), message_marks.c.seq <= bindparam("up_to"))
)
NOTES = select(notes.c.id, notes.c.at, notes.c.text).where(notes.c.conversation == bindparam("home"))
CARD = select(clients.c.card, clients.c.created_at).where(clients.c.id == bindparam("client"))
SPOKE = select(func.max(conversations.c.last_at).label("at")).where(conversations.c.client == bindparam("client"))
TICKET = select(tickets).where(tickets.c.number == bindparam("number"))
ENTRIES = select(ticket_history.c.entry).where(ticket_history.c.number == bindparam("number"))
TICKETS_OF = select(tickets.c.number).where(tickets.c.client == bindparam("client"))
CHANGED = (
    select(tickets.c.number, tickets.c.updated_at)
    .where(tickets.c.updated_at >= bindparam("since"))
    .order_by(tickets.c.updated_at, tickets.c.number)
    .limit(bindparam("n"))
    .offset(_zero)
)


class Read(NamedTuple):
    """What is to be found of one thing now. `gone` are those whose words are not to be found any more: (kind, number)."""

    version: int
    documents: list[Document]
    gone: list[tuple[str, int]]


def read_home(reads: Asked, home: int, known: int) -> Read | None:
    """A conversation whose messages are known up to the place `known`; None when it is gone."""
    row = reads.one(STATE, home=home)
    if row is None:
        return None
    after = max(known - BACK, 0)
    found, gone = [], []
    for said in _messages(reads, home, after):
        text = _text(said)
        if text:
            found.append(Document("message", home, said["seq"], said["at"], text))
        else:
            gone.append(("message", said["seq"]))
    found += [Document("note", home, it["id"], it["at"], it["text"]) for it in reads.all(NOTES, home=home)]
    conversation = decode_conversation.decode(row["state"])
    fields = "\n".join(dict.fromkeys(_fields(conversation)))
    at = conversation.session.last_at
    (found if fields else gone).append(Document("fields", home, 0, at, fields) if fields else ("fields", 0))  # type: ignore[arg-type]
    return Read(row["version"], found, gone)


def client_of(reads: Asked, home: int) -> int:
    """The client of a conversation, 0 when there is none."""
    row = reads.one(STATE, home=home)
    return decode_conversation.decode(row["state"]).client if row is not None else 0


def _messages(reads: Asked, home: int, after: int) -> Iterator[Row]:
    """Those behind a place, and before it those that something came to later."""
    if after:
        yield from reads.all(MARKED, home=home, up_to=after)
    while page := reads.all(BEHIND, home=home, after=after, n=PAGE):
        yield from page
        after = page[-1]["seq"]


def _text(said: Row) -> str:
    """The words of a message, empty for one that is not to be found."""
    removed = said["marks"] is not None and decode_marks.decode(said["marks"]).removed
    if removed or said["state"] == "refused" or said["author"] not in SPOKEN:
        return ""
    if said["message"] is not None:
        return decode_message.decode(said["message"]).body.text.strip()[:LONGEST]
    return _heard(decode_event.decode(said["event"])).strip()[:LONGEST] if said["event"] is not None else ""


def _heard(event: Event) -> str:
    if isinstance(event, Press):
        return event.label
    if isinstance(event, Edited):
        return event.text
    if not isinstance(event, Message):
        return str(getattr(event, "text", ""))
    contact = [event.contact.phone, event.contact.name] if event.contact else []
    place = [event.location.address] if event.location else []
    return "\n".join(filter(None, [event.text, *contact, *place, *(it.name for it in event.attachments)]))


def _fields(conversation: Conversation) -> Iterator[str]:
    """What flows and transfers have collected."""
    talk = conversation.talk
    yield from _plain(conversation.session.packet.values())
    collected = talk.memory.get(COLLECTED, {})
    if isinstance(collected, dict):
        yield from _plain(collected.values())
    for run in (talk.suspended, talk.run):
        yield from _values(run)


def _values(run: Run | None) -> Iterator[str]:
    for frame in run.frames if run is not None else ():
        yield from _plain(frame.values.values())


def _plain(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str | int | float) and not isinstance(value, bool) and str(value).strip():
            yield str(value)
        elif isinstance(value, dict | list):
            yield from _plain(value.values() if isinstance(value, dict) else value)


def read_client(reads: Asked, client: int) -> Document | None:
    """What the card knows; None for one who has become part of another."""
    row = reads.one(CARD, client=client)
    card = decode_dict.decode(row["card"]) if row is not None else {}
    text = "\n".join(_plain(value for name, value in card.items() if name not in SILENT))
    if row is None or part_of(card) or not text:
        return None
    return Document("client", 0, client, reads.value(SPOKE, client=client) or row["created_at"], text)


def read_ticket(reads: Asked, number: int) -> Document | None:
    """A ticket with its fields and what was said in its history."""
    row = reads.one(TICKET, number=number)
    if row is None:
        return None
    said = [str(decode_dict.decode(it["entry"]).get("comment") or "") for it in reads.all(ENTRIES, number=number)]
    parts = [f"№{number}", row["title"], row["text"], *_plain(decode_dict.decode(row["fields"]).values())]
    text = "\n".join(filter(None, [*parts, row["outer_number"], *said]))
    return Document("ticket", 0, number, row["updated_at"], text[:LONGEST])
