"""Routes for two clients that are one person: made one by somebody's word, and two again exactly as they were."""

from __future__ import annotations

from typing import Any

from core.accounts import operator_id
from core.joins import Join, JoinRefused
from core.locale import n_
from gateway.api.cardfields import card_fields, contacts_of
from gateway.api.clients import READ, WRITE, find_client
from gateway.api.models import moment
from gateway.api.models_clients import (
    JoinAsked,
    JoinPreview,
    Joins,
    JoinView,
    JoinWith,
    Suggestions,
    SuggestionView,
)
from gateway.api.problems import Problem
from gateway.api.route import WORKERS, Call, Route
from gateway.api.showing import Showing, at, client_short, showing
from storage import queries as q
from storage.asked import Asked
from storage.cards import reading
from storage.cards.card import Card, tags_of
from storage.joining.cards import join_cards
from storage.joining.store import join_of

MOST = 20
REFUSED = {
    "same": n_("These are one client already."),
    "part": n_("One of them has become part of client {number}."),
    "undone": n_("The join was undone before."),
    "suggested": n_("This is only a suggestion."),
    "later": n_("Join {number} was made later and must be undone first."),
}


def _refusal(refused: JoinRefused) -> Problem:
    said = REFUSED.get(refused.why)
    if said is None:
        return Problem("not-found")
    return Problem("conflict", said, values={"number": refused.detail})


async def join_clients(call: Call) -> JoinView:
    body: JoinAsked = call.body
    one, other = await find_client(call, call.id), await find_client(call, body.other)
    try:
        join = await call.floor.store.join(one, other, operator_id(call.me.id), body.reason.strip())
    except JoinRefused as refused:
        raise _refusal(refused) from None
    return await _shown(call, join)


async def preview_join(call: Call) -> JoinPreview:
    query: JoinWith = call.query
    kept, gone = sorted([await find_client(call, call.id), await find_client(call, query.other)])
    if kept == gone:
        raise _refusal(JoinRefused("same", kept))
    card = await call.floor.units.ask(lambda reads: _made_of(reads, kept, gone))
    return JoinPreview(
        kept=kept,
        gone=gone,
        name=str(card.get("name") or ""),
        tier=str(card.get("tier") or ""),
        tags=list(tags_of(card)),
        contacts=contacts_of(card),
        fields=card_fields(call, card),
    )


def _made_of(reads: Asked, kept: int, gone: int) -> Card:
    """The card that a join makes of two, as `storage.joining.rules.join` does it."""
    one, other = ({"id": client} | (reading.card_of(reads, client) or {}) for client in (kept, gone))
    spoke = [float(reads.value(q.SPOKE_AT, client=client) or 0.0) for client in (kept, gone)]
    return join_cards(one, other, other if spoke[1] > spoke[0] else one, 0)


async def undo_join(call: Call) -> JoinView:
    await _find_join(call, call.id)
    try:
        await call.floor.store.unjoin(call.id, operator_id(call.me.id))
    except JoinRefused as refused:
        raise _refusal(refused) from None
    return await _shown(call, call.id)


async def _find_join(call: Call, id: int) -> Join:
    """A join of clients that the caller may see. Raises `Problem` (404)."""
    row = await call.floor.units.ask(lambda reads: reads.one(q.JOIN, the_id=id))
    if row is None:
        raise Problem("not-found")
    await find_client(call, row["kept"])
    return join_of(row)


async def _shown(call: Call, id: int) -> JoinView:
    row = await call.floor.units.ask(lambda reads: reads.one(q.JOIN, the_id=id))
    assert row is not None
    join = join_of(row)
    return _view(await showing(call, (join.by, join.undone_by)), join)


def _view(show: Showing, join: Join) -> JoinView:
    return JoinView(
        id=join.id,
        at=at(join.at),
        how=join.how,
        by=show.maybe(join.by),
        reason=join.proof,
        state=join.state,
        kept=join.kept,
        gone=join.gone,
        undone_at=moment(join.undone_at),
        undone_by=show.maybe(join.undone_by),
    )


async def get_joins(call: Call) -> Joins:
    client = await find_client(call, call.id)
    found = [it for it in await call.floor.store.joins(client, MOST * 5) if it.state != "suggested"]
    show = await showing(call, [name for it in found for name in (it.by, it.undone_by)])
    return Joins(items=[_view(show, it) for it in found])


# --- who may be the same person --------------------------------------------------------------------------------------


async def get_suggestions(call: Call) -> Suggestions:
    client, sight = await find_client(call, call.id), call.floor.sight(call.who)

    def ask(reads: Asked) -> list[SuggestionView]:
        found: dict[int, SuggestionView] = {}
        for other, why in _candidates(reads, client):
            card = reads.value(q.CARD, the_id=other)
            if other not in found and card is not None and reading.is_seen(reads, sight, other):
                found[other] = SuggestionView(client=client_short(other, card), why=why)
        return list(found.values())[:MOST]

    return Suggestions(items=await call.floor.units.ask(ask))


def _candidates(reads: Asked, client: int) -> list[tuple[int, str]]:
    """What was written down first: that says why two were not joined by themselves."""
    rows = [*reads.all(q.JOINS_KEPT, client=client), *reads.all(q.JOINS_GONE, client=client)]
    pairs = [(row["gone"] if row["kept"] == client else row["kept"], row) for row in rows]
    found = [(other, str(row["proof"]).partition(" ")[0]) for other, row in pairs if row["state"] == "suggested"]
    undone = {other for other, row in pairs if row["state"] == "undone"}
    same = reading.same_people(reads, client, reading.card_of(reads, client) or {}, MOST)
    found += [(other, "undone" if other in undone else why) for other, why in same]
    whole = [(reading.whole_client(reads, other), why) for other, why in found]
    return [(other, why) for other, why in whole if other and other != client]


def _route(method: str, path: str, handler: Any, summary: str, scope: str = READ, **more: Any) -> Route:
    problems = ("not-found", *more.pop("problems", ()))
    return Route(method, path, handler, summary, WORKERS, scope, problems=problems, **more)


ROUTES: tuple[Route, ...] = (
    _route(
        *("POST", "/clients/{id}/join", join_clients, "Make one client of two", WRITE),
        body=JoinAsked,
        answer=JoinView,
        status=201,
        keyed=True,
        problems=("conflict",),
    ),
    _route(
        *("GET", "/clients/{id}/join", preview_join, "The card that two clients would have as one"),
        query=JoinWith,
        answer=JoinPreview,
        problems=("conflict",),
    ),
    _route(
        *("POST", "/joins/{id}/undo", undo_join, "Take a join back: both clients are what they were", WRITE),
        answer=JoinView,
        keyed=True,
        problems=("conflict",),
    ),
    _route("GET", "/clients/{id}/joins", get_joins, "Joins of a client", answer=Joins),
    _route(
        *("GET", "/clients/{id}/suggestions", get_suggestions, "Clients that may be the same person"),
        answer=Suggestions,
    ),
)
