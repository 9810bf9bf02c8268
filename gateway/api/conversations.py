"""Routes of the lists of sessions and of the page of a talk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.accounts import operator_id
from gateway.api.deeds import find_session
from gateway.api.keyset import read_place, write_place
from gateway.api.models import moment
from gateway.api.models_conversations import (
    Bubble,
    ConversationView,
    Counts,
    History,
    HistoryQuery,
    Item,
    ListPage,
    ListQuery,
    Messages,
    MessagesQuery,
    Move,
    ReadDone,
    ReadMark,
    SessionBegins,
)
from gateway.api.paging import read_cursor, write_cursor
from gateway.api.position import acts_of, fields_of, flow_of, held_until, loan_of, transfer_of
from gateway.api.route import WORKERS, Call, Route
from gateway.api.showing import Showing, at, client_short, file_ids, showing
from handoff.decision import TRANSFERRED
from storage.asked import Asked
from storage.cards.marking import mark_read
from storage.lists import talk
from storage.lists.details import details
from storage.lists.reading import Wanted, counts, page
from storage.lists.statements import FILTERS
from storage.rows import Row

SCOPE = "conversations:read"


# --- lists -----------------------------------------------------------------------------------------------------------


async def get_conversations(call: Call) -> ListPage:
    query: ListQuery = call.query
    me, sight, user = operator_id(call.me.id), call.floor.sight(call.who), call.me.id
    only = {name: value for name in FILTERS if (value := getattr(query, name))}
    if only.get("operator") == "me":
        only["operator"] = me
    order = f"{query.view}:{query.sort}"
    wanted = Wanted(query.view, me, query.sort, only, query.q.strip(), read_place(query.cursor, order), query.limit)

    def ask(reads: Asked) -> tuple[list[Row], dict[int, Row]]:
        found = page(reads, sight, wanted)
        return found, details(reads, [row["conversation"] for row in found[: query.limit]], user)

    found, known = await call.floor.units.ask(ask)
    rows = [known[row["conversation"]] for row in found[: query.limit] if row["conversation"] in known]
    show = await _showing_rows(call, rows)
    last = found[query.limit - 1] if len(found) > query.limit else None
    following = write_place(order, last["place"], last["conversation"]) if last is not None else None
    return ListPage(items=[show.row(row) for row in rows], next=following)


async def _showing_rows(call: Call, rows: list[Row]) -> Showing:
    people = {name for row in rows for name in (row["operator"], row["said_operator"] or "")}
    people |= {operator_id(user) for row in rows for user in call.floor.lookers(row["conversation"])}
    return await showing(call, people)


async def get_conversation_counts(call: Call) -> Counts:
    sight, me = call.floor.sight(call.who), operator_id(call.me.id)
    return Counts(**await call.floor.units.ask(lambda reads: counts(reads, sight, me)))


# --- one talk --------------------------------------------------------------------------------------------------------


async def get_conversation(call: Call) -> ConversationView:
    row = await find_session(call, call.id)
    home, user = call.id, call.me.id

    def ask(reads: Asked) -> tuple[Any, Row | None, list[Row], int]:
        known = details(reads, [home], user).get(home)
        return (
            talk.read_state(reads, home),
            known,
            reads.all(talk.SESSIONS, conversation=home),
            talk.read_mark(reads, user, home),
        )

    state, known, sessions, mark = await call.floor.units.ask(ask)
    row = known or row
    collected = await fields_of(call, state, row)
    people = {row["operator"], *(it["operator"] for it in sessions), *(it.by for it in collected)}
    people.add(str(state.session.memory.get(TRANSFERRED, {}).get("by", "")))
    people |= {operator_id(user) for user in call.floor.lookers(home)}
    show = await showing(call, people)
    session = state.session
    return ConversationView(
        conversation=home,
        session=row["number"],
        channel=row["channel"],
        kind=show.kind(row["channel"]),
        reachable=state.reachable,
        client=client_short(row["client"], row.get("card")),
        status=row["status"],
        owner=row["owner"],
        epoch=row["epoch"],
        line=row["line"],
        line_title=show.line_title(row["line"]),
        operator=show.maybe(row["operator"]),
        priority=row["priority"],
        category=row["category"],
        rating=row["rating"],
        note=session.note,
        packet=session.packet,
        transfer=transfer_of(call, show, session),
        loan=loan_of(call, session),
        held_until=held_until(session),
        due=show.due(session),
        cause=row.get("cause") or "",
        looking=show.looking(home),
        flow=flow_of(call, state),
        fields=[show.field(it) for it in collected],
        acts=acts_of(call, state, row),
        sessions=[show.session(it) for it in sessions],
        seq=state.seq,
        read=mark,
        opened_at=at(row["opened_at"]),
        queued_at=moment(row["queued_at"]),
        assigned_at=moment(row["assigned_at"]),
        first_reply_at=moment(row["first_reply_at"]),
        closed_at=moment(row["closed_at"]),
    )


async def get_messages(call: Call) -> Messages:
    query: MessagesQuery = call.query
    await find_session(call, call.id)
    home = call.id

    def ask(reads: Asked) -> tuple[talk.Page, Mapping[str, Any]]:
        found = talk.read_page(reads, home, query.before, query.after, query.limit)
        return found, talk.files_of(reads, file_ids(found.messages))

    found, files = await call.floor.units.ask(ask)
    items = await shown(call, talk.merged(found), files)
    first = found.messages[0]["seq"] if found.messages and found.older else None
    last = found.messages[-1]["seq"] if found.messages and found.newer else None
    return Messages(items=items, before=first, after=last)


async def shown(call: Call, items: list[tuple[Any, Row]], files: Mapping[str, Any]) -> list[Item]:
    """Messages, notes and beginnings of sessions as the API gives them."""
    people = {row.get("operator") or row.get("author") or "" for _, row in items}
    show = await showing(call, people, files)
    seqs = {row["message_id"]: row["seq"] for kind, row in items if kind == "message" and row["message_id"]}
    return [_item(show, kind, row, seqs) for kind, row in items]


def _item(show: Showing, kind: str, row: Row, seqs: Mapping[str, int]) -> Item:
    if kind == "message":
        bubble: Bubble = show.bubble(row, seqs)
        return bubble
    if kind == "note":
        return show.note(row)
    return SessionBegins(conversation=row["conversation"], session=show.session(row))


async def get_history(call: Call) -> History:
    query: HistoryQuery = call.query
    await find_session(call, call.id)
    home, before = call.id, read_cursor(query.cursor)
    found = await call.floor.units.ask(lambda reads: talk.read_moves(reads, home, before, query.limit + 1))
    page_rows = found[: query.limit]
    show = await showing(call, {str(row["data"].get("who", "")) for row in page_rows})
    following = write_cursor(page_rows[-1]["id"]) if len(found) > query.limit else None
    return History(items=[_move(show, row) for row in page_rows], next=following)


def _move(show: Showing, row: Row) -> Move:
    data = row["data"]
    return Move(
        at=at(row["at"]),
        session=data["session"],
        move=data["move"],
        was=data["from"],
        now=data["to"],
        who=show.colleague(str(data["who"])),
        why=str(data["why"]),
        line=data["line"],
        epoch=data["epoch"],
    )


async def read_conversation(call: Call) -> ReadDone:
    body: ReadMark = call.body
    await find_session(call, call.id)
    home, user, now = call.id, call.me.id, call.floor.now().timestamp()
    seq = await call.floor.units.write(lambda ledger: mark_read(ledger, user, home, body.seq, now))
    return ReadDone(conversation=home, seq=seq)


def _reading(path: str, handler: Any, summary: str, **more: Any) -> Route:
    return Route("GET", path, handler, summary, WORKERS, SCOPE, problems=("not-found",), **more)


ROUTES: tuple[Route, ...] = (
    _reading("/conversations", get_conversations, "Sessions of a view", query=ListQuery, answer=ListPage),
    _reading("/conversations/counts", get_conversation_counts, "How many sessions each view has", answer=Counts),
    _reading("/conversations/{id}", get_conversation, "A talk as it stands", answer=ConversationView),
    _reading(
        *("/conversations/{id}/messages", get_messages, "What was said, with notes between"),
        query=MessagesQuery,
        answer=Messages,
    ),
    _reading(
        *("/conversations/{id}/history", get_history, "How the sessions of a talk moved"),
        query=HistoryQuery,
        answer=History,
    ),
    Route(
        *("POST", "/conversations/{id}/read", read_conversation, "Say how far one has read", WORKERS, SCOPE),
        body=ReadMark,
        answer=ReadDone,
        problems=("not-found",),
    ),
)
