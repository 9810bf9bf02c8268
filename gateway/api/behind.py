"""What is behind a number of a report, as people read it, and the titles of a report's rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from gateway.api.models import moment
from gateway.api.models_reports import BehindView
from gateway.api.route import Call
from gateway.api.showing import client_short, user_of
from gateway.reporting import Behind
from handoff.metrics_tables import Table
from storage.lists.details import titles
from storage.reports.faces import session_faces, ticket_faces
from storage.rows import Row
from storage.tickets.reading import seen_tickets
from storage.work.sessions import seen_sessions

STRIDE = 200  # sessions or tickets looked up at a time: others may read in between


async def seen_behind(call: Call, found: Sequence[Behind]) -> set[Behind]:
    """Those that the caller may open now."""
    sight = call.floor.sight(call.who)
    if sight.everything:
        return set(found)
    seen: set[Behind] = set()
    for begin in range(0, len(found), STRIDE):
        part = found[begin : begin + STRIDE]
        homes = [(it.conversation, it.session) for it in part if it.session]
        numbers = [it.ticket for it in part if it.ticket]
        open_to = await call.floor.units.ask(partial(seen_sessions, sight=sight, wanted=homes))
        tickets = await call.floor.units.ask(partial(seen_tickets, sight=sight, numbers=numbers))
        seen |= {it for it in part if it.ticket in tickets or (it.conversation, it.session) in open_to}
    return seen


async def show_behind(call: Call, page: Iterable[Behind]) -> list[BehindView]:
    """With when each began, where, and what its client is called."""
    shown = list(page)
    homes = [(it.conversation, it.session) for it in shown if it.session]
    numbers = [it.ticket for it in shown if it.ticket]
    sessions = await call.floor.units.ask(lambda reads: session_faces(reads, homes))
    tickets = await call.floor.units.ask(lambda reads: ticket_faces(reads, numbers))
    return [
        _view(it, tickets.get(it.ticket) if it.ticket else sessions.get((it.conversation, it.session))) for it in shown
    ]


def _view(it: Behind, row: Row | None) -> BehindView:
    plain = BehindView(conversation=it.conversation, session=it.session, ticket=it.ticket, value=it.value)
    if row is None:
        return plain
    told = {name: row[name] or "" for name in ("channel", "line", "title")}
    return plain.model_copy(
        update={**told, "at": moment(row["at"]), "client_name": client_short(row["client"], row["card"]).name}
    )


async def titles_of(call: Call, table: Table) -> dict[str, str]:
    """Key → what people read. Analysts see numbers, and of people no more than theirs."""
    keys = [row.key for row in table.rows]
    if table.by == "line":
        return {id: line.title for id, line in call.floor.house().lines.items()}
    if table.by == "desk":
        return {id: desk.title for id, desk in call.floor.desks.items()}
    if table.by != "operator" or call.me.role == "analyst":
        return {}
    users = {key: user_of(key) for key in keys if user_of(key)}
    names = await call.floor.units.ask(lambda reads: titles(reads, sorted(users.values())))
    return {key: names.get(user, "") for key, user in users.items()}
