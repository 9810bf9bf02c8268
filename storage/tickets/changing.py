"""The one way in which a ticket changes: compared with what was seen, kept in its history, told to clients and people."""

from __future__ import annotations

from typing import Any

from core.tickets import CLIENT, Refused, TicketChange, TicketStatus, stands_since, usual_title
from storage.codec import decode_dict, decode_strings, encode
from storage.ledger import Ledger
from storage.rows import Row
from storage.tickets.marks import record, tell_people
from storage.tickets.opening import words
from storage.tickets.telling import News, tell_clients

PLAIN = ("title", "priority", "category", "assignee", "deadline", "outer_number", "outer_link")
_EMPTY_IS_NOTHING = ("outer_number", "outer_link")


def change_ticket(ledger: Ledger, change: TicketChange) -> Refused:
    """Write a change. Why it was refused, or empty; what changes nothing is no change and is not refused."""
    row = ledger.rows.ticket_row(change.number)
    if row is None or (change.client and row["client"] != change.client):
        return "missing"
    entries = _entries(ledger, change.number)
    if _is_known(entries, change):
        return ""
    against = _against(ledger, row, change)
    if against:
        return against
    if row["master"] and change.by == CLIENT and change.status is not None:
        return _reopen_joined(ledger, row, change)
    return _apply(ledger, row, change, entries)


def _entries(ledger: Ledger, number: int) -> list[dict[str, Any]]:
    return [decode_dict.decode(entry) for entry in ledger.rows.ticket_entries(number)]


def _is_known(entries: list[dict[str, Any]], change: TicketChange) -> bool:
    """Whether a change of this key is in the history already."""
    return bool(change.key) and any(entry.get("key") == change.key for entry in entries)


def _against(ledger: Ledger, row: Row, change: TicketChange) -> Refused:
    if change.version and change.version != row["version"]:
        return "stale"
    master = ledger.rows.ticket_row(row["master"]) if row["master"] else None
    whole = master or row
    if change.rating and not whole["done"]:
        return "not_done"
    if change.by == CLIENT and change.status is not None and not (whole["done"] or whole["waiting"]):
        return "not_done"
    if master is not None and change.by != CLIENT and (change.status is not None or (change.comment and change.tell)):
        return "joined"
    return ""


def _reopen_joined(ledger: Ledger, row: Row, change: TicketChange) -> Refused:
    """The client's own master is opened again; from another's theirs goes apart, which bothers nobody else."""
    master = ledger.rows.ticket_row(row["master"])
    if master is not None and master["client"] == row["client"]:
        entries = _entries(ledger, master["number"])
        return "" if _is_known(entries, change) else _apply(ledger, master, change, entries)
    set_master(ledger, row, 0, change.by)
    apart = ledger.rows.ticket_row(change.number) or row
    return _apply(ledger, apart, change, _entries(ledger, change.number))


def _apply(ledger: Ledger, row: Row, change: TicketChange, entries: list[dict[str, Any]]) -> Refused:
    changes = _changes(row, change)
    if not changes and not change.comment:
        return ""
    now, place = ledger.clock(), len(entries) + 1
    changes |= _resumed(row, change, changes, stands_since(entries), now)
    entry = _entry(row, change, changes, now)
    after = {**row, **_stored(row, changes, now), "version": row["version"] + 1, "updated_at": now}
    write(ledger, after, place, entry)
    told = [*(name for name in changes if name != "stood"), *(["comment"] if change.comment else [])]
    tell_people(ledger, after, told, before=row)
    master = ledger.rows.ticket_row(row["master"]) if row["master"] and change.by == CLIENT else None
    if master is not None:  # whoever works on the ticket that this one was joined to hears of it too
        tell_people(ledger, master, told)
    _record(ledger, row, after, change)
    if change.tell and ("status" in changes or (change.comment and change.by != CLIENT)):
        # What a client says is read by people; others whose tickets were joined hear of the status alone.
        news = News(after, place, entry["said"], "" if change.by == CLIENT else change.comment)
        tell_clients(ledger, news, but=change.client)
    return ""


def write(ledger: Ledger, after: Row, place: int, entry: dict[str, Any]) -> None:
    """The row as it is now, and one more line of its history."""
    ledger.rows.save_ticket(after["number"], after)
    ledger.rows.insert("ticket_history", {"number": after["number"], "place": place, "entry": encode(entry)})


def set_master(ledger: Ledger, row: Row, master: int, by: str) -> None:
    """Join a ticket to another, or take it apart (0)."""
    now = ledger.clock()
    place = len(ledger.rows.ticket_entries(row["number"])) + 1
    after = {**row, "master": master, "version": row["version"] + 1, "updated_at": now}
    what = "joined" if master else "unjoined"
    write(ledger, after, place, {"at": now, "what": what, "by": by, "master": master or row["master"]})
    tell_people(ledger, after, [what], before=row)


def _changes(row: Row, change: TicketChange) -> dict[str, Any]:
    """What differs from the row, by name as in the history: values as people read them."""
    asked = {name: getattr(change, name) for name in PLAIN}
    found = {
        name: value
        for name, value in asked.items()
        if value is not None and value != row[name] and not (value == "" and name in _EMPTY_IS_NOTHING)
    }
    if change.status is not None and _differs(row, change.status):
        found |= {"status": change.status.word, "done": int(change.status.means == "done")}
        found |= {"waiting": int(change.status.means == "waiting")}
    if change.rating and change.rating != row["rating"]:
        found["rating"] = change.rating
    known = decode_dict.decode(row["fields"])
    fields = {label: text for label, text in (change.fields or {}).items() if known.get(label) != text}
    files = [id for id in change.files if id not in decode_strings.decode(row["files"])]
    return found | ({"fields": fields} if fields else {}) | ({"files": files} if files else {})


def _resumed(row: Row, change: TicketChange, changes: dict[str, Any], since: float, now: float) -> dict[str, Any]:
    """A ticket that goes on has as much time left as when it stood still; none for one that was late by then."""
    resume = change.desk.resume if change.desk is not None else None
    again = "status" in changes and not changes["done"] and not changes["waiting"]
    if resume is None or not again or not since or "deadline" in changes or not since < row["deadline"]:
        return {}
    due = resume(row["line"], since, row["deadline"], now)
    return {"deadline": due, "stood": now - since} if due > row["deadline"] else {}


def _differs(row: Row, status: TicketStatus) -> bool:
    means = (int(status.means == "done"), int(status.means == "waiting"))
    return status.word != row["status"] or means != (row["done"], row["waiting"])


def _stored(row: Row, changes: dict[str, Any], now: float) -> dict[str, Any]:
    """Changes as columns."""
    stored = {name: value for name, value in changes.items() if name != "stood"}
    fields = {**decode_dict.decode(row["fields"]), **changes.get("fields", {})}
    private = decode_strings.decode(row["private"])
    if "fields" in changes:
        stored["fields"] = encode(fields)
    if "files" in changes:
        stored["files"] = encode((*decode_strings.decode(row["files"]), *changes["files"]))
    if "title" in changes or "fields" in changes:
        stored["words"] = words(str(changes.get("title", row["title"])), row["text"], fields, private)
    if "done" in changes and changes["done"] != row["done"]:
        stored["solved_at"] = now if changes["done"] else 0.0
    return stored


def _entry(row: Row, change: TicketChange, changes: dict[str, Any], now: float) -> dict[str, Any]:
    private = decode_strings.decode(row["private"])
    shown = dict(changes)
    if "fields" in shown:  # what is private is not written down a second time
        shown["fields"] = {label: "…" if label in private else text for label, text in shown["fields"].items()}
    entry: dict[str, Any] = {"at": now, "what": "changed" if changes else "comment", "by": change.by, **shown}
    if change.comment:
        entry |= {"comment": change.comment, "told": change.tell and change.by != CLIENT}
    said = _title(str(changes.get("status", row["status"])), change)
    return entry | {"said": said} | ({"key": change.key} if change.key else {})


def _title(word: str, change: TicketChange) -> str:
    """The title of a status, as clients read it."""
    if change.status is not None and change.status.word == word:
        return change.status.title
    return change.desk.status(word).title if change.desk is not None else usual_title(word)


def _record(ledger: Ledger, before: Row, after: Row, change: TicketChange) -> None:
    if (before["status"], before["done"]) != (after["status"], after["done"]):
        means = "done" if after["done"] else "waiting" if after["waiting"] else "open"
        moved = {"from": before["status"], "to": after["status"], "means": means, "by": change.by}
        record(ledger, after, "ticket_moved", **moved)
    if after["rating"] != before["rating"]:
        record(ledger, after, "ticket_rated", rating=after["rating"], assignee=after["assignee"])
