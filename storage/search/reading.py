"""What there is to be found of conversations, clients and tickets: read from what is committed, for many of them at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from core.conversation import Conversation, Run
from core.events import Edited, Event, Message, Press
from storage.codec import decode_conversation, decode_dict, decode_event, decode_marks, decode_message
from storage.joining.cards import part_of
from storage.search.port import Document, Key
from storage.search.words import LONGEST

# Places before the last one known in which an operator's words may still be under way, and be refused.
BACK = 100
COLLECTED = "collected"  # in the memory of a talk: label → text
# Of a client's card, what is no word about them.
SILENT = {"id", "language", "channel", "verified", "part_of", "join"}

Found = tuple[Key, Document | None]  # None: its words are not to be found


class Home(NamedTuple):
    """A conversation; `known` is the last of its messages that is indexed."""

    id: int
    version: int
    state: bytes
    known: int


class Said(NamedTuple):
    """A message of a client or an operator. What bots and the house say is said to everybody: it would hide the rest."""

    home: int
    seq: int
    at: float
    event: bytes | None
    message: bytes | None
    state: str
    marks: bytes | None


class Note(NamedTuple):
    home: int
    id: int
    at: float
    text: str


class Card(NamedTuple):
    """`at` is when the client spoke last."""

    client: int
    card: bytes
    at: float


class Ticket(NamedTuple):
    number: int
    title: str
    text: str
    fields: bytes
    outer_number: str
    updated_at: float
    entries: Sequence[bytes]


class Source(Protocol):
    """Whoever asks the tables of the store. Each question may see later commits than the one before, never earlier ones."""

    def homes(self, ids: Sequence[int]) -> Iterable[Home]: ...

    def said(self, homes: Sequence[Home]) -> Iterable[Said]:
        """What may be other than it is indexed. Behind the last place known: everything. Up to it: words of operators of the
        last `BACK` places, and whatever has marks. A client's words do not change without them."""
        ...

    def notes(self, homes: Sequence[int]) -> Iterable[Note]: ...
    def cards(self, clients: Sequence[int]) -> Iterable[Card]: ...
    def tickets(self, clients: Sequence[int], numbers: Sequence[int]) -> Iterable[Ticket]:
        """Those of the clients, and those of the numbers."""
        ...


class Read(NamedTuple):
    """The versions of the conversations that were read, and what is to be found of everything now."""

    versions: dict[int, int]
    found: dict[Key, Document | None]


def read(source: Source, homes: Sequence[int], clients: Sequence[int], numbers: Sequence[int]) -> Read:
    """A conversation that is gone is left out."""
    there = list(source.homes(homes)) if homes else []
    found = dict(_of_homes(source, there)) if there else {}
    found |= dict(_of_clients(source, clients)) if clients else {}
    found |= dict(_of_tickets(source, clients, numbers)) if clients or numbers else {}
    return Read({it.id: it.version for it in there}, found)


# --- conversations ---


def _of_homes(source: Source, homes: Sequence[Home]) -> Iterator[Found]:
    for said in source.said(homes):
        yield _found("message", said.home, said.seq, said.at, _text(said).strip())
    for note in source.notes([it.id for it in homes]):
        yield _found("note", note.home, note.id, note.at, note.text)
    for home in homes:
        conversation = decode_conversation.decode(home.state)
        fields = "\n".join(dict.fromkeys(_fields(conversation)))
        yield _found("fields", home.id, 0, conversation.session.last_at, fields)


def _found(kind: Any, home: int, number: int, at: float, text: str) -> Found:
    """PostgreSQL keeps no text with a NUL in it."""
    text = text[:LONGEST].replace("\0", " ")
    return (kind, home, number), Document(kind, home, number, at, text) if text else None


def _text(said: Said) -> str:
    """The words of a message, empty for one that is not to be found."""
    removed = said.marks is not None and decode_marks.decode(said.marks).removed
    if removed or said.state == "refused":
        return ""
    if said.message is not None:
        return decode_message.decode(said.message).body.text
    return _heard(decode_event.decode(said.event)) if said.event is not None else ""


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


# --- clients and tickets ---


def _of_clients(source: Source, clients: Sequence[int]) -> Iterator[Found]:
    yield from ((("client", 0, it), None) for it in clients)
    for row in source.cards(clients):
        yield _found("client", 0, row.client, row.at, _known(decode_dict.decode(row.card)))


def _known(card: dict[str, Any]) -> str:
    """What the card knows; nothing for one who has become part of another."""
    return "" if part_of(card) else "\n".join(_plain(value for name, value in card.items() if name not in SILENT))


def _of_tickets(source: Source, clients: Sequence[int], numbers: Sequence[int]) -> Iterator[Found]:
    yield from ((("ticket", 0, it), None) for it in numbers)
    for row in source.tickets(clients, numbers):
        yield _found("ticket", 0, row.number, row.updated_at, "\n".join(filter(None, _parts(row))))


def _parts(row: Ticket) -> Iterator[str]:
    """A ticket with its fields and what was said in its history."""
    yield from (f"№{row.number}", row.title, row.text)
    yield from _plain(decode_dict.decode(row.fields).values())
    yield row.outer_number
    yield from (str(decode_dict.decode(it).get("comment") or "") for it in row.entries)
