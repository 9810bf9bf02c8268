"""Clients as people look for them and read them, each question with the filter of what somebody may see."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, exists, literal_column, select

from core.access import Sight
from storage import queries as q
from storage.asked import Asked
from storage.cards.card import Card, fold
from storage.cards.schema import client_tags
from storage.cards.statements import EDITS_OF, NOTES_OF, PARTS_OF
from storage.codec import decode_dict, encode
from storage.joining.cards import part_of
from storage.lists.reading import like
from storage.lists.timeline import seen_talks
from storage.rows import Row
from storage.tables import clients, conversations, joins
from storage.work.schema import sessions
from storage.work.sessions import SEEN, sight_values

END = 2**53
MOST_PARTS = 100  # clients that one was made of
_p = bindparam
_named = clients.alias("named")
ONE: ColumnElement[Any] = literal_column("1")
ZERO: ColumnElement[Any] = literal_column("0")


@cache
def listing(filters: frozenset[str]) -> Select[Any]:
    """Clients that somebody may see, the newest first: those who have a conversation that they may see. `filters` are among
    `q`, `tag`, `tier`. Parameters: those of `sight_values`, `before`, `n`, `like`, `tag`, `tier`."""
    seen = exists(ONE).where(sessions.c.client == clients.c.id, sessions.c.current == ONE, SEEN)
    gone = exists(ONE).where(joins.c.gone == clients.c.id, joins.c.state == literal_column("'done'"))
    found = select(clients.c.id, clients.c.card, clients.c.created_at).where(clients.c.id < _p("before"), seen, ~gone)
    if "q" in filters:
        found = found.where(clients.c.id.in_(select(_named.c.id).where(_named.c.words.like(_p("like"), escape="!"))))
    if "tier" in filters:
        found = found.where(clients.c.tier == _p("tier"), clients.c.tier != literal_column("''"))
    if "tag" in filters:
        tagged = select(client_tags.c.client).where(client_tags.c.tag == _p("tag"))
        found = found.where(clients.c.id.in_(tagged))
    return found.order_by(clients.c.id.desc()).limit(_p("n")).offset(ZERO)


def clients_page(reads: Asked, sight: Sight, only: dict[str, str], before: int, limit: int) -> list[Row]:
    """`id`, `card`, `created_at` of clients before an id (0: from the end)."""
    values = {**sight_values(sight), "before": before or END, "n": limit} | only
    if "q" in only:
        values["like"] = like(only["q"])
    return reads.all(listing(frozenset(only)), **values)


# --- one client ------------------------------------------------------------------------------------------------------

TALKS = (
    select(
        *(sessions.c[name] for name in ("conversation", "number", "channel", "status", "line", "operator")),
        conversations.c.state,
        conversations.c.last_at,
    )
    .select_from(sessions.join(conversations, conversations.c.id == sessions.c.conversation))
    .where(sessions.c.client == _p("client"), sessions.c.current == ONE, SEEN)
    .order_by(conversations.c.last_at.desc(), sessions.c.conversation)
)
SESSIONS = (
    select(sessions)
    .where(sessions.c.client == _p("client"), SEEN)
    .order_by(sessions.c.opened_at.desc(), sessions.c.conversation, sessions.c.number.desc())
    .limit(_p("n"))
    .offset(ZERO)
)
BORN = select(clients.c.created_at).where(clients.c.id == _p("client"))
LIKE_THIS = (
    select(clients.c.id, clients.c.card)
    .where(clients.c.words.like(_p("like"), escape="!"), clients.c.id != _p("client"))
    .order_by(clients.c.id.desc())
    .limit(_p("n"))
    .offset(ZERO)
)


def card_of(reads: Asked, client: int) -> Card | None:
    stored = reads.value(q.CARD, the_id=client)
    return None if stored is None else decode_dict.decode(stored)


def names_of(reads: Asked, clients: Iterable[int]) -> dict[int, str]:
    """What clients are called, empty for those without a name."""
    cards = {client: card_of(reads, client) or {} for client in dict.fromkeys(clients)}
    return {client: str(card.get("name") or "") for client, card in cards.items()}


def whole_client(reads: Asked, client: int) -> int:
    """The client that this one is a part of now; itself when it stands alone, 0 when there is none."""
    for _ in range(MOST_PARTS):
        card = card_of(reads, client)
        if card is None:
            return 0
        if not part_of(card):
            return client
        client = part_of(card)
    return 0


def is_seen(reads: Asked, sight: Sight, client: int) -> bool:
    """Whether somebody may see the client: one of their conversations."""
    return bool(seen_talks(reads, sight, client))


def version_of(card: Card) -> str:
    """What changes with every change of a card, whoever makes it."""
    return hashlib.sha256(encode(card)).hexdigest()[:16]


def parts_of(reads: Asked, client: int) -> list[int]:
    """The client and all that are a part of it now."""
    found, waiting = [client], [client]
    while waiting and len(found) < MOST_PARTS:
        gone = reads.column(PARTS_OF, client=waiting.pop())
        found += gone
        waiting += gone
    return found


def notes_of(reads: Asked, client: int, before: int, limit: int) -> list[Row]:
    """Notes about the client and all parts of it, the newest first."""
    return _written(reads, NOTES_OF, client, before, limit)


def edits_of(reads: Asked, client: int, before: int, limit: int) -> list[Row]:
    """What people changed on the card and on the cards that it was made of, the newest first."""
    return _written(reads, EDITS_OF, client, before, limit)


def _written(reads: Asked, statement: Select[Any], client: int, before: int, limit: int) -> list[Row]:
    rows = [
        row
        for part in parts_of(reads, client)
        for row in reads.all(statement, client=part, before=before or END, n=limit)
    ]
    return sorted(rows, key=lambda row: -int(row["id"]))[:limit]


# --- who may be the same person --------------------------------------------------------------------------------------


def same_people(reads: Asked, client: int, card: Card, limit: int) -> Iterator[tuple[int, str]]:
    """(client, why): the same `phone` or `email`, or the same `name` of two words or more."""
    for why in ("phone", "email", "name"):
        value = fold(str(card.get(why) or ""))
        if not value or (why == "name" and " " not in value):
            continue
        for row in reads.all(LIKE_THIS, like=like(value), client=client, n=limit):
            other = decode_dict.decode(row["card"])
            if fold(str(other.get(why) or "")) == value and not part_of(other):
                yield row["id"], why
