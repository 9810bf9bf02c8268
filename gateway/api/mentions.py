"""Routes of mentions: where colleagues called one, and that it was read."""

from __future__ import annotations

from datetime import UTC, datetime

from gateway.api.models import moment
from gateway.api.models_tools import Mentions, MentionsAsked, MentionView, ReadDone, ReadUpTo
from gateway.api.paging import read_cursor, write_cursor
from gateway.api.route import WORKERS, Call, Route
from gateway.api.showing import Showing, client_short, showing
from storage.rows import Row
from storage.tools.mentions import list_mentions
from storage.tools.mentions import read_mentions as read
from storage.work.units import asked

NEWEST = 2**62


async def get_mentions(call: Call) -> Mentions:
    wanted: MentionsAsked = call.query
    before, sight, user = read_cursor(wanted.cursor) or NEWEST, call.floor.sight(call.who), call.me.id
    rows, unread = await call.floor.units.ask(
        lambda reads: list_mentions(reads, sight, user, before, wanted.unread, wanted.limit + 1)
    )
    page = rows[: wanted.limit]
    more = write_cursor(page[-1]["id"]) if len(rows) > wanted.limit else None
    show = await showing(call, {row["author"] for row in page})
    return Mentions(items=[_view(show, row) for row in page], unread=unread, next=more)


def _view(show: Showing, row: Row) -> MentionView:
    kept = ("id", "conversation", "channel", "line", "text")
    return MentionView(
        **{name: row[name] for name in kept},
        note=row["note"] or 0,
        author=show.colleague(row["author"]),
        client=client_short(row["client"], row["card"]),
        at=datetime.fromtimestamp(row["at"], UTC),
        read_at=moment(row["read_at"]),
    )


async def read_mentions(call: Call) -> ReadDone:
    body: ReadUpTo = call.body
    user, now = call.me.id, call.floor.now().timestamp()
    done = await call.floor.units.write(lambda ledger: read(asked(ledger), user, body.up_to, now, body.only))
    return ReadDone(read=done)


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/me/mentions",
        get_mentions,
        "Notes that call one, the newest first",
        WORKERS,
        "conversations:read",
        query=MentionsAsked,
        answer=Mentions,
    ),
    Route(
        "POST",
        "/me/mentions/read",
        read_mentions,
        "Mark mentions as read",
        WORKERS,
        "conversations:write",
        body=ReadUpTo,
        answer=ReadDone,
        keyed=True,
    ),
)
