"""What presence and routing write, each within one unit of writing."""

from __future__ import annotations

from collections.abc import Iterable

from core.accounts import operator_id
from core.presence import Presence, State
from storage.asked import Asked
from storage.codec import encode
from storage.ledger import Ledger
from storage.routing import statements as s
from storage.routing.reading import read_presence
from storage.rows import Row
from storage.work.projecting import write_feed
from storage.work.units import asked


def say(ledger: Ledger, user: int, state: str, now: float) -> Presence:
    """A person sets their presence, which is a sign of life, too."""
    rows = asked(ledger)
    rows.run(s.SAY, user_id=user, state=state, since=now, seen_at=now, away=0, capacity=0, capacity_until=0.0)
    _tell(ledger, user, state, now)
    return read_presence(rows, user)


def take_off(ledger: Ledger, user: int, state: str, by: int, now: float) -> Presence:
    """Somebody else sets it for them, which is no sign of life; the line of the feed says who."""
    rows = asked(ledger)
    rows.run(s.TAKE_OFF, user_id=user, state=state, since=now, seen_at=0.0, away=0, capacity=0, capacity_until=0.0)
    _tell(ledger, user, state, now, {"user": user, "by": by})
    return read_presence(rows, user)


def set_capacity(ledger: Ledger, user: int, capacity: int, until: float, now: float) -> Presence:
    """The person's own limit of weighted sessions (0 for none), until a time (0: until it is changed)."""
    rows = asked(ledger)
    limit = {"capacity": capacity, "capacity_until": until}
    rows.run(s.SET_CAPACITY, user_id=user, state="offline", since=0.0, seen_at=0.0, away=0, **limit)
    found = read_presence(rows, user)
    _tell(ledger, user, found.state, now)
    return found


def touch(ledger: Ledger, seen: Iterable[tuple[int, float]], now: float) -> bool:
    """Signs of life, user and when. Whether somebody came back who was away."""
    rows, back = asked(ledger), False
    for user, at in sorted(seen):
        row = rows.one(s.PRESENCE_OF, user=user)
        if row is None:
            continue
        rows.run(s.TOUCH, user=user, at=at)
        if row["away"] and row["seen_at"] < at:
            back = True
            _tell(ledger, user, row["state"], now)
    return back


def go_away(ledger: Ledger, before: float, now: float) -> int:
    """Those whose last sign of life was before are away, and that is told; how many."""
    rows = asked(ledger)
    silent = rows.all(s.SILENT, before=before)
    for row in silent:
        rows.run(s.GO_AWAY, user=row["user_id"])
        _tell(ledger, row["user_id"], "away", now)
    return len(silent)


def is_somebody_silent(reads: Asked, before: float) -> bool:
    """Whether `go_away` would find anybody."""
    return reads.one(s.SILENT, before=before) is not None


def tell_cause(ledger: Ledger, session: Row, cause: str, now: float) -> None:
    """A line of the feed: why a session waits now. `session` is its row of `sessions`."""
    data: dict[str, object] = {"cause": cause, "epoch": session["epoch"]}
    write_feed(ledger, feed_row("queue", now, session["line"], "", data, session))


def _tell(ledger: Ledger, user: int, state: State | str, now: float, more: Row | None = None) -> None:
    """A line of the feed for each line of theirs: those who look after it see who is there."""
    for line in [row["line"] for row in asked(ledger).all(s.LINES_OF, user=user)]:
        write_feed(ledger, feed_row("presence", now, line, operator_id(user), {"state": state, **(more or {})}))


def feed_row(kind: str, now: float, line: str, operator: str, data: dict[str, object], home: Row | None = None) -> Row:
    """A line of the feed about a person, or about the waiting session `home`."""
    about = {name: home[name] for name in ("conversation", "client", "channel")} if home else {}
    return {
        "at": now,
        "kind": kind,
        "conversation": 0,
        "client": 0,
        "channel": "",
        "line": line,
        "operator": operator,
        "person": "",
        "data": encode(data),
        **about,
    }


def keep_decision(rows: Asked, decision: Row) -> None:
    """Columns as in `storage.routing.schema.routings`, without `id`; `skipped` is JSON already."""
    rows.run(s.KEEP, **decision)


def settle(rows: Asked, key: str, became: str) -> None:
    """What became of an assignment."""
    rows.run(s.SETTLE, the_key=key, became=became)


def keep_waits(rows: Asked, waits: Iterable[Row]) -> None:
    """Why sessions wait; what does not wait any more is forgotten."""
    for row in waits:
        rows.run(s.PUT_WAIT, **row)
    rows.run(s.DROP_WAITS)
