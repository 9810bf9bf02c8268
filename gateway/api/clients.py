"""Routes of the client card: who clients are, what is known of them, one stream of all their talks."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import msgspec

from core.access import Sight
from core.accounts import operator_id
from core.joins import Identity
from core.locale import n_
from core.tickets import Ticket
from gateway.api.cardfields import card_fields, contacts_of, read_fields
from gateway.api.conversations import shown
from gateway.api.keyset import bad_cursor
from gateway.api.models import moment
from gateway.api.models_clients import (
    ClientChange,
    ClientNote,
    ClientNotes,
    ClientRow,
    ClientSession,
    ClientsPage,
    ClientsQuery,
    ClientView,
    Edits,
    EditView,
    IdentityView,
    NewClientNote,
    NotesQuery,
    TalkView,
    TicketShort,
    Timeline,
    TimelineQuery,
)
from gateway.api.paging import read_cursor, write_cursor
from gateway.api.problems import Problem
from gateway.api.route import WORKERS, Call, Route
from gateway.api.showing import Showing, at, file_ids, showing
from storage.asked import Asked
from storage.cards import reading
from storage.cards.card import Card, tag_values, tags_of
from storage.cards.editing import By, CardChanged, NotAlone, Proved, add_note, edit_card
from storage.codec import decode_conversation, decode_dict
from storage.lists.talk import files_of
from storage.lists.timeline import TALKS, Reached, Stretch, read_timeline, seen_talks
from storage.rows import Row
from storage.work.sessions import sight_values

READ, WRITE = "clients:read", "clients:write"
LATEST = 20  # notes and edits on the card
MOST_SESSIONS = 100
_any = msgspec.json.Decoder()
_Number = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


# --- who there is ----------------------------------------------------------------------------------------------------


async def get_clients(call: Call) -> ClientsPage:
    query: ClientsQuery = call.query
    only = {name: value.strip() for name in ("q", "tag", "tier") if (value := getattr(query, name)).strip()}
    sight, before = call.floor.sight(call.who), read_cursor(query.cursor)
    found = await call.floor.units.ask(lambda reads: reading.clients_page(reads, sight, only, before, query.limit + 1))
    page = found[: query.limit]
    following = write_cursor(page[-1]["id"]) if len(found) > query.limit else None
    return ClientsPage(items=[_row(row) for row in page], next=following)


def _row(row: Row) -> ClientRow:
    card = decode_dict.decode(row["card"])
    return ClientRow(
        id=row["id"],
        name=str(card.get("name") or ""),
        phone=str(card.get("phone") or ""),
        email=str(card.get("email") or ""),
        tier=str(card.get("tier") or ""),
        tags=list(tags_of(card)),
        created_at=at(row["created_at"]),
    )


async def find_client(call: Call, id: int) -> int:
    """The client that this one is a part of now, itself as a rule, when the caller may see it. Raises `Problem` (404)."""
    sight = call.floor.sight(call.who)

    def ask(reads: Asked) -> int:
        client = reading.whole_client(reads, id)
        return client if client and reading.is_seen(reads, sight, client) else 0

    client = await call.floor.units.ask(ask)
    if not client:
        raise Problem("not-found")
    return client


# --- the card --------------------------------------------------------------------------------------------------------


async def get_client(call: Call) -> ClientView:
    return await _view(call, await find_client(call, call.id))


def _known(reads: Asked, sight: Sight, client: int) -> dict[str, Any]:
    """What the card is made of, one moment of the store."""
    seen = reads.all(reading.TALKS, client=client, **sight_values(sight))
    return {
        "card": reading.card_of(reads, client) or {},
        "born": reads.value(reading.BORN, client=client) or 0.0,
        "talks": seen,
        "hidden": len(reads.column(TALKS, client=client)) - len(seen),
        "sessions": reads.all(reading.SESSIONS, client=client, n=MOST_SESSIONS, **sight_values(sight)),
        "notes": reading.notes_of(reads, client, 0, LATEST),
        "edits": reading.edits_of(reads, client, 0, LATEST),
        "parts": [part for part in reading.parts_of(reads, client) if part != client],
    }


async def _view(call: Call, client: int) -> ClientView:
    sight = call.floor.sight(call.who)

    known = await call.floor.units.ask(lambda reads: _known(reads, sight, client))
    tickets = await call.floor.store.tickets(client=client)
    identities = await call.floor.store.identities(client)
    card: Card = known["card"]
    people = {row["operator"] for row in (*known["talks"], *known["sessions"])}
    people |= {row["author"] for row in (*known["notes"], *known["edits"])}
    show = await showing(call, people)
    ratings = [row["rating"] for row in known["sessions"] if row["rating"]]
    return ClientView(
        id=client,
        version=reading.version_of(card),
        name=str(card.get("name") or ""),
        username=str(card.get("username") or ""),
        language=str(card.get("language") or ""),
        tier=str(card.get("tier") or ""),
        tags=list(tags_of(card)),
        contacts=contacts_of(card),
        fields=card_fields(call, card),
        identities=[_identity(show, it) for it in identities],
        talks=[_talk(show, row) for row in known["talks"]],
        hidden=known["hidden"],
        tickets=[_ticket(it) for it in tickets],
        sessions=[_session(show, row) for row in known["sessions"]],
        rating=sum(ratings) / len(ratings) if ratings else None,
        notes=_notes(show, known["notes"]),
        edits=_edits(show, known["edits"]),
        parts=known["parts"],
        created_at=at(known["born"]),
    )


def _identity(show: Showing, it: Identity) -> IdentityView:
    return IdentityView(
        channel=it.channel, kind=show.kind(it.channel), sender=it.sender, proof=it.proof, since=at(it.created_at)
    )


def _ticket(it: Ticket) -> TicketShort:
    return TicketShort(
        number=it.number,
        desk=it.desk,
        title=it.title,
        status=it.status,
        done=it.done,
        created_at=at(it.created_at),
        updated_at=at(it.updated_at),
    )


def _talk(show: Showing, row: Row) -> TalkView:
    return TalkView(
        conversation=row["conversation"],
        session=row["number"],
        channel=row["channel"],
        kind=show.kind(row["channel"]),
        status=row["status"],
        line=row["line"],
        line_title=show.line_title(row["line"]),
        operator=show.maybe(row["operator"]),
        reachable=decode_conversation.decode(row["state"]).reachable,
        last_at=moment(row["last_at"]),
    )


def _session(show: Showing, row: Row) -> ClientSession:
    plain = show.session(row)
    return ClientSession(**plain.model_dump(exclude={"operator"}), operator=plain.operator, **_where(row))


def _where(row: Row) -> dict[str, Any]:
    return {"conversation": row["conversation"], "channel": row["channel"]}


def _notes(show: Showing, rows: Iterable[Row]) -> list[ClientNote]:
    return [
        ClientNote(
            id=row["id"],
            at=at(row["at"]),
            author=show.colleague(row["author"]),
            conversation=row["conversation"],
            text=row["text"],
        )
        for row in rows
    ]


def _edits(show: Showing, rows: Iterable[Row]) -> list[EditView]:
    return [
        EditView(
            id=row["id"],
            at=at(row["at"]),
            author=show.colleague(row["author"]),
            name=row["name"],
            was=_any.decode(row["was"]),
            now=_any.decode(row["now"]),
            reason=row["reason"],
        )
        for row in rows
    ]


# --- writing ---------------------------------------------------------------------------------------------------------


async def change_client(call: Call) -> ClientView:
    body: ClientChange = call.body
    client = await find_client(call, call.id)
    by = await _by(call, client, body.conversation, body.reason)
    home = await call.floor.store.last_conversation(client) if body.fields else None
    values = read_fields(call, body.fields, home)
    values |= {name: value.strip() for name in ("name", "tier") if (value := getattr(body, name)) is not None}
    card = await call.floor.units.ask(lambda reads: reading.card_of(reads, client)) or {}
    if body.tags is not None:
        values |= tag_values(card, (tag.strip() for tag in body.tags if tag.strip()))
    now = call.floor.now().timestamp()
    try:
        await call.floor.units.write(lambda ledger: edit_card(ledger, client, body.version, values, by, now))
    except CardChanged:
        raise Problem("card-changed") from None
    except NotAlone:
        raise Problem("conflict", n_("The client has become part of another.")) from None
    except Proved as proved:
        wrong = {
            "pointer": f"/fields/{proved}",
            "detail": n_("The messenger has proved this: it is not changed by hand."),
        }
        raise Problem("invalid", errors=[wrong]) from None
    return await _view(call, client)


async def _by(call: Call, client: int, conversation: int, reason: str = "") -> By:
    """Who writes, and from where: a talk of the client that they may see. Raises `Problem`."""
    if conversation:
        sight = call.floor.sight(call.who)
        talks = await call.floor.units.ask(lambda reads: seen_talks(reads, sight, client))
        if conversation not in {row["conversation"] for row in talks}:
            wrong = {"pointer": "/conversation", "detail": n_("This is no talk of the client.")}
            raise Problem("invalid", errors=[wrong])
    return By(operator_id(call.me.id), conversation, reason.strip())


async def add_client_note(call: Call) -> ClientNotes:
    body: NewClientNote = call.body
    if not body.text.strip():
        raise Problem("nothing-said")
    client = await find_client(call, call.id)
    by, now = await _by(call, client, body.conversation), call.floor.now().timestamp()
    try:
        await call.floor.units.write(lambda ledger: add_note(ledger, client, body.text, by, now))
    except NotAlone:
        raise Problem("conflict", n_("The client has become part of another.")) from None
    return await _notes_page(call, client, 0, LATEST)


async def get_client_notes(call: Call) -> ClientNotes:
    query: NotesQuery = call.query
    return await _notes_page(call, await find_client(call, call.id), read_cursor(query.cursor), query.limit)


async def _notes_page(call: Call, client: int, before: int, limit: int) -> ClientNotes:
    found = await call.floor.units.ask(lambda reads: reading.notes_of(reads, client, before, limit + 1))
    page = found[:limit]
    show = await showing(call, {row["author"] for row in page})
    following = write_cursor(page[-1]["id"]) if len(found) > limit else None
    return ClientNotes(items=_notes(show, page), next=following)


async def get_client_edits(call: Call) -> Edits:
    query: NotesQuery = call.query
    client, before = await find_client(call, call.id), read_cursor(query.cursor)
    found = await call.floor.units.ask(lambda reads: reading.edits_of(reads, client, before, query.limit + 1))
    page = found[: query.limit]
    show = await showing(call, {row["author"] for row in page})
    following = write_cursor(page[-1]["id"]) if len(found) > query.limit else None
    return Edits(items=_edits(show, page), next=following)


# --- one stream ------------------------------------------------------------------------------------------------------


async def get_timeline(call: Call) -> Timeline:
    query: TimelineQuery = call.query
    client, sight = await find_client(call, call.id), call.floor.sight(call.who)
    reached = read_reached(query.before)

    def ask(reads: Asked) -> tuple[Stretch | None, Mapping[str, Any]]:
        found = read_timeline(reads, sight, client, reached, query.limit)
        rows = [row for kind, _, row in found.items if kind == "message"] if found is not None else []
        return found, files_of(reads, file_ids(rows))

    found, files = await call.floor.units.ask(ask)
    if found is None:
        raise Problem("not-found")
    items = await shown(call, [(kind, row) for kind, _, row in reversed(found.items)], files)
    following = None if found.reached is None else write_reached(found.reached)
    return Timeline(items=items, next=following, hidden=found.hidden)


def write_reached(reached: Mapping[int, Reached]) -> str:
    """A cursor: how far back each talk has been read."""
    said = [[home, it.message, it.note, it.session] for home, it in sorted(reached.items())]
    return base64.urlsafe_b64encode(msgspec.json.encode(said)).decode().rstrip("=")


def read_reached(cursor: str) -> dict[int, Reached]:
    """Raises `Problem` for a cursor that we have not made."""
    if not cursor:
        return {}
    try:
        raw = base64.urlsafe_b64decode(cursor.encode("ascii") + b"==")
        rows = msgspec.json.decode(raw, type=list[tuple[_Number, _Number, _Number, _Number]])
    except (ValueError, binascii.Error):
        raise bad_cursor() from None
    return {home: Reached(*places) for home, *places in rows}


def _route(method: str, path: str, handler: Any, summary: str, scope: str = READ, **more: Any) -> Route:
    problems = ("not-found", *more.pop("problems", ()))
    return Route(method, path, handler, summary, WORKERS, scope, problems=problems, **more)


ROUTES: tuple[Route, ...] = (
    _route("GET", "/clients", get_clients, "Clients that one may see", query=ClientsQuery, answer=ClientsPage),
    _route("GET", "/clients/{id}", get_client, "The card of a client", answer=ClientView),
    _route(
        *("PATCH", "/clients/{id}", change_client, "Write on the card of a client", WRITE),
        body=ClientChange,
        answer=ClientView,
        keyed=True,
        problems=("card-changed", "conflict"),
    ),
    _route(
        *("GET", "/clients/{id}/notes", get_client_notes, "Notes about a client"), query=NotesQuery, answer=ClientNotes
    ),
    _route(
        *("POST", "/clients/{id}/notes", add_client_note, "Write a note about a client", WRITE),
        body=NewClientNote,
        answer=ClientNotes,
        status=201,
        keyed=True,
        problems=("nothing-said", "conflict"),
    ),
    _route(
        *("GET", "/clients/{id}/edits", get_client_edits, "What people changed on the card"),
        query=NotesQuery,
        answer=Edits,
    ),
    _route(
        *("GET", "/clients/{id}/timeline", get_timeline, "All talks of a client in one stream"),
        query=TimelineQuery,
        answer=Timeline,
    ),
)
