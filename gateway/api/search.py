"""The route of the search: what was said, what is known of clients, and tickets, as far as one may see them."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from core.locale import n_
from gateway.api.models import Given, Id, LineName, Model
from gateway.api.problems import Problem
from gateway.api.route import WORKERS, Call, Route
from storage.cards.reading import names_of
from storage.search.port import Hit, Wanted

Kind = Literal["message", "note", "fields", "ticket", "client"]


class SearchAsked(Given):
    """What is looked for."""

    q: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    """Words, as they begin or in another of their forms; all must be there. Or a number: of an order, a phone, a ticket,
    however it is written."""
    kind: Kind | None = None
    line: LineName | None = None
    channel: LineName | None = None
    since: AwareDatetime | None = Field(default=None, alias="from", strict=False)
    """Not before this moment."""
    until: AwareDatetime | None = Field(default=None, alias="to", strict=False)
    """Before this moment."""
    limit: int = Field(default=20, ge=1, le=100, strict=False)
    cursor: Annotated[str, StringConstraints(max_length=200)] = ""
    """`next` of the page before."""


class Found(Model):
    """Something that holds what was looked for."""

    kind: Kind
    conversation: Id
    """Where it is; for a ticket or a client, their conversation that was moved last."""
    number: int
    """A message's place in its history, a ticket's number, a client's id."""
    at: datetime
    client: Id
    name: str
    """Of the client."""
    channel: str
    line: str
    text: str
    """A part of it, as plain text."""
    marks: list[tuple[int, int]]
    """Where in `text` the words stand: begin and end, in characters."""


class FoundPage(Model):
    """What was found, the newest first."""

    items: list[Found]
    next: str | None
    behind: bool
    """Whether the search still catches up with what was written: look again in a moment."""


async def search(call: Call) -> FoundPage:
    asked: SearchAsked = call.query
    indexer = call.floor.indexer
    if indexer is None or indexer.search is None:
        return FoundPage(items=[], next=None, behind=True)
    wanted = Wanted(
        text=asked.q,
        kind=asked.kind or "",
        line=asked.line or "",
        channel=asked.channel or "",
        since=asked.since.timestamp() if asked.since else 0.0,
        until=asked.until.timestamp() if asked.until else 0.0,
        before=read_place(asked.cursor),
        limit=asked.limit + 1,
    )
    found = await indexer.search.find(wanted, call.floor.sight(call.who))
    page = found[: asked.limit]
    more = write_place(page[-1]) if len(found) > asked.limit else None
    names = await call.floor.units.ask(lambda reads: names_of(reads, [it.client for it in page]))
    return FoundPage(items=[_view(it, names) for it in page], next=more, behind=not indexer.idle)


def _view(it: Hit, names: Mapping[int, str]) -> Found:
    return Found(
        kind=it.kind,
        conversation=it.conversation,
        number=it.number,
        at=datetime.fromtimestamp(it.at, UTC),
        client=it.client,
        name=names.get(it.client, ""),
        channel=it.channel,
        line=it.line,
        text=it.text,
        marks=list(it.marks),
    )


def write_place(hit: Hit) -> str:
    """The cursor of the page behind a hit."""
    return base64.urlsafe_b64encode(f"{hit.at!r}:{hit.id}".encode()).decode().rstrip("=")


def read_place(cursor: str) -> tuple[float, int] | None:
    """Where the page before ended. Raises `Problem` for a cursor that we have not made."""
    if not cursor:
        return None
    try:
        at, _, id = base64.urlsafe_b64decode(cursor.encode("ascii") + b"==").decode("ascii").partition(":")
        place = float(at), int(id)
    except (ValueError, binascii.Error):
        place = math.nan, 0
    if not (math.isfinite(place[0]) and 0 < place[1] < 2**62):
        raise Problem("invalid", errors=[{"pointer": "cursor", "detail": n_("this is no cursor of ours")}])
    return place


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/search",
        search,
        "Find messages, notes, collected fields, tickets and clients",
        WORKERS,
        "conversations:read",
        query=SearchAsked,
        answer=FoundPage,
    ),
)
