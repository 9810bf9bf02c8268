"""Numbers of the feed: given after the commit, without gaps, by one process at a time.

A row is written in the transaction of what changed and has no number yet. A further transaction gives the next numbers to the
rows that are committed by then, in the order of their ids, while it holds the row of `counters` that has the last one. So the
numbers become visible in their order: who sees a number sees all before it. See docs/decisions/0038.
"""

from __future__ import annotations

from sqlalchemy import bindparam, delete, exists, func, insert, literal_column, select, update

from storage.asked import Asked
from storage.ledger import Ledger
from storage.tables import counters
from storage.work.schema import feed
from storage.work.units import asked

BATCH = 500  # rows of one transaction
_ours = counters.c.name == literal_column("'feed'")
_unnumbered = feed.c.seq == literal_column("0")
_new = (
    select(feed.c.id, func.row_number().over(order_by=feed.c.id).label("place"))
    .where(_unnumbered)
    .order_by(feed.c.id)
    .limit(bindparam("limit"))
    .offset(literal_column("0"))
    .subquery()
)

# Nobody waits here for another process while he holds something that it may want: who cannot have the row comes again.
TAKE = select(counters.c.next).where(_ours).with_for_update(skip_locked=True)
LAST = select(counters.c.next).where(_ours)
BEGIN = insert(counters).from_select(
    ["name", "next"],
    select(literal_column("'feed'"), literal_column("0")).where(~exists(select(counters.c.name).where(_ours))),
)
NUMBER = update(feed).values(seq=bindparam("last") + _new.c.place).where(feed.c.id == _new.c.id).returning(feed.c.id)
KEEP = update(counters).values(next=bindparam("last")).where(_ours)
WAITING = select(feed.c.id).where(_unnumbered).limit(literal_column("1")).offset(literal_column("0"))

OLDEST = select(feed.c.seq, feed.c.at).where(~_unnumbered, feed.c.seq > literal_column("0"))
OLDEST = OLDEST.order_by(feed.c.seq).limit(bindparam("limit")).offset(literal_column("0"))
TRIM = delete(feed).where(feed.c.seq > literal_column("0"), feed.c.seq <= bindparam("upto"))


def is_waiting(reads: Asked) -> bool:
    """Whether a row has no number yet. Costs one look into an index that is empty most of the time."""
    return reads.value(WAITING) is not None


def number(ledger: Ledger, limit: int = BATCH) -> int | None:
    """Give the next numbers to what is committed: how many were given; None while another process is at it."""
    rows = asked(ledger)
    last = rows.value(TAKE)
    if last is None:
        if rows.value(LAST) is not None:
            return None
        # Two that begin at once: one of them is told so by the database, and tries again; or finds what the other has begun.
        rows.run(BEGIN)
        last = rows.value(TAKE)
        if last is None:
            return None
    given = len(list(rows.run(NUMBER, last=int(last), limit=limit)))
    if given:
        rows.run(KEEP, last=int(last) + given)
    return given


def trim(ledger: Ledger, before: float, limit: int = BATCH) -> int:
    """Forget the oldest numbered rows, as far as they are older than a moment: how many went."""
    rows = asked(ledger)
    old = [row["seq"] for row in _leading(rows, before, limit)]
    if old:
        rows.run(TRIM, upto=old[-1])
    return len(old)


def _leading(rows: Asked, before: float, limit: int) -> list[dict[str, float]]:
    """Rows are trimmed from the front only, so what is left has no gap."""
    found = rows.all(OLDEST, limit=limit)
    place = next((n for n, row in enumerate(found) if row["at"] >= before), len(found))
    return found[:place]
