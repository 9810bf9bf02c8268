"""Rules of tickets after their birth: every change is in their history and told to the client."""

from __future__ import annotations

from typing import Any

from core.events import TicketChanged
from storage.codec import encode
from storage.ledger import Ledger
from storage.rows import Row


def change_ticket(
    ledger: Ledger,
    number: int,
    status: str = "",
    done: bool | None = None,
    outer_number: str = "",
    outer_link: str = "",
    comment: str = "",
    tell: bool = True,
) -> bool:
    """Write a change into the ticket and its history. False when there is no such ticket."""
    row = ledger.rows.ticket_row(number)
    if row is None:
        return False
    changes = _changes(row, status=status, done=done, outer_number=outer_number, outer_link=outer_link)
    if not changes and not comment:
        return True
    place = ledger.rows.ticket_length(number) + 1
    now = ledger.clock()
    ledger.rows.save_ticket(number, {**row, **changes, "updated_at": now})
    entry = {"at": now, "what": "changed", **changes, **({"comment": comment} if comment else {})}
    ledger.rows.insert("ticket_history", {"number": number, "place": place, "entry": encode(entry)})
    if tell and (comment or changes.keys() & {"status", "done"}):
        _tell(ledger, {**row, **changes}, comment, place)
    return True


def _changes(row: Row, **asked: Any) -> dict[str, Any]:
    """What differs from the row; empty values ask for nothing."""
    wanted = {name: int(value) if isinstance(value, bool) else value for name, value in asked.items()}
    return {name: value for name, value in wanted.items() if value not in {None, ""} and value != row[name]}


def _tell(ledger: Ledger, row: Row, comment: str, place: int) -> None:
    home = ledger.rows.last_conversation(row["client"]) or row["conversation"]
    event = TicketChanged(row["number"], row["status"], bool(row["done"]), row["title"], comment)
    ledger.put_event(home, event, f"ticket:{row['number']}:{place}")
