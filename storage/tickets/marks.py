"""What people and reports learn of a ticket: a line of the feed, and facts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from storage.codec import encode
from storage.ledger import Ledger
from storage.rows import Row
from storage.work.projecting import write_feed


def tell_people(ledger: Ledger, row: Row, what: Iterable[str], before: Row | None = None) -> None:
    """A line of the feed. It names what changed, never what was said; whoever had the ticket before is named too."""
    old = before or row
    moved = {"from": [old["line"], old["assignee"]]} if before is not None else {}
    write_feed(
        ledger,
        {
            "at": ledger.clock(),
            "kind": "ticket",
            "conversation": row["conversation"],
            "client": row["client"],
            "channel": "",
            "line": row["line"],
            "operator": row["assignee"],
            "person": "",
            "data": encode({"number": row["number"], "what": sorted(what), "version": row["version"], **moved}),
        },
    )


def record(ledger: Ledger, row: Row, kind: str, session: int = 0, **data: Any) -> None:
    """A fact for reports, with the ticket's desk and line. `session` is the number of the one it belongs to (0: none)."""
    told = {"number": row["number"], "desk": row["desk"], "line": row["line"], **data}
    values = {"conversation": row["conversation"], "at": ledger.clock(), "kind": kind, "data": encode(told)}
    ledger.rows.insert("records", {**values, "session": session})
