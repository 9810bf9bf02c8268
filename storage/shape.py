"""Rows of the tables as values of the ports, and back."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, cast

from core.events import Event, Inbound
from core.outbox import OutboxRow, RowKind
from core.ports import Bundle, Done, HistoryItem, Pending, StoredFile, Ticket
from storage.codec import (
    EMPTY_DICT,
    EMPTY_LIST,
    Marks,
    decode_dict,
    decode_event,
    decode_marks,
    decode_message,
    decode_outcome,
    decode_strings,
    encode,
)
from storage.rows import PENDING, WAITING, Row

LANE = frozenset({"send", "edit", "delete"})
NO_MARKS = Marks()


def moment(seconds: float) -> datetime:
    """A time of the tables as a time of the ports."""
    return datetime.fromtimestamp(seconds, UTC)


# --- inbox -----------------------------------------------------------------------------------------------------------


def inbound_row(id: int, conversation: int, inbound: Inbound, now: float) -> Row:
    """A client's event as a pending row."""
    row = event_row(id, conversation, inbound.event, inbound.external_id, now)
    row["channel"] = inbound.channel
    row["account"] = inbound.account
    row["message_id"] = inbound.message_id
    row["sent_at"] = inbound.sent_at.timestamp()
    return row


def event_row(id: int, conversation: int, event: Event, key: str, now: float) -> Row:
    """An internal event as a pending row; `key` is unique within the conversation."""
    return {
        "id": id,
        "conversation": conversation,
        "channel": "",
        "account": str(conversation),
        "external_id": key,
        "message_id": "",
        "at": now,
        "sent_at": now,
        "state": PENDING,
        "place": 0,
        "attempts": 0,
        "not_before": 0.0,
        "error": "",
        "event": encode(event),
        "facts": b"",
        "outcome": b"",
    }


def pending_event(row: Row) -> Pending:
    """A row of the inbox as the worker sees it."""
    return Pending(
        row["id"],
        decode_event.decode(row["event"]),
        moment(row["at"]),
        moment(row["sent_at"]),
        row["attempts"],
        row["message_id"],
    )


def sending_order(row: Row) -> tuple[float, int, int]:
    """Deliveries may come reordered: the platform's time first, then its number, then ours."""
    digits = re.search(r"\d+$", row["message_id"])
    return row["sent_at"], int(digits[0]) if digits else 0, row["id"]


def processed_event(row: Row) -> Done:
    """A processed row of the inbox with why it ended so."""
    outcome = decode_outcome.decode(row["outcome"])
    return Done(pending_event(row), outcome.effects, outcome.trace, row["facts"], outcome.epoch)


# --- outbox ----------------------------------------------------------------------------------------------------------


def outbox_table_row(row: OutboxRow, slot: str = "", message: bytes | None = None) -> Row:
    """A new row of the outbox as it is stored; `message` is its message, encoded."""
    return {
        "id": row.id,
        "conversation": row.conversation,
        "kind": row.kind,
        "lane": int(row.kind in LANE),
        "channel": row.channel,
        "account": row.account,
        "chat": row.chat,
        "key": row.key,
        "epoch": row.epoch,
        "guarded": int(row.guarded),
        "seq": row.seq,
        "target": row.target,
        "slot": slot,
        "state": WAITING,
        "attempts": 0,
        "created_at": row.created_at,
        "not_before": 0.0,
        "settled_at": None,
        "reason": "",
        "message": message,
        "payload": encode(row.payload) if row.payload else EMPTY_DICT,
        "sent_parts": EMPTY_LIST,
        "platform_ids": EMPTY_LIST,
    }


def outbox_row(row: Row, target: Row | None = None) -> OutboxRow:
    """A stored row of the outbox as a sender sees it; `target` is the row that it edits or deletes."""
    return OutboxRow(
        id=row["id"],
        conversation=row["conversation"],
        kind=cast("RowKind", row["kind"]),
        channel=row["channel"],
        account=row["account"],
        chat=row["chat"],
        key=row["key"],
        epoch=row["epoch"],
        guarded=bool(row["guarded"]),
        seq=row["seq"],
        message=decode_message.decode(row["message"]) if row["message"] is not None else None,
        payload=decode_dict.decode(row["payload"]),
        target=row["target"],
        target_ids=decode_strings.decode(target["platform_ids"]) if target is not None else (),
        attempts=row["attempts"],
        created_at=row["created_at"],
        sent_parts=decode_strings.decode(row["sent_parts"]),
    )


# --- what people read ------------------------------------------------------------------------------------------------


def message_row(conversation: int, seq: int, author: str, at: float, **more: Any) -> Row:
    """A message of the history; `more` holds `event` or `message` (bytes), `state`, `operator`, `message_id`."""
    row: Row = {
        "conversation": conversation,
        "seq": seq,
        "author": author,
        "operator": "",
        "at": at,
        "event": None,
        "message": None,
        "state": "received",
        "reason": "",
        "message_id": "",
        "edited": 0,
    }
    row.update(more)
    return row


def history_item(row: Row) -> HistoryItem:
    """A message of the history, with its `marks`, as it is shown."""
    marks = decode_marks.decode(row["marks"]) if row["marks"] is not None else NO_MARKS
    return HistoryItem(
        seq=row["seq"],
        author=row["author"],
        at=row["at"],
        event=decode_event.decode(row["event"]) if row["event"] is not None else None,
        message=decode_message.decode(row["message"]) if row["message"] is not None else None,
        state=row["state"],
        reason=row["reason"],
        message_id=row["message_id"],
        edited=row["edited"],
        earlier=marks.earlier,
        reactions=marks.reactions,
        removed=marks.removed,
    )


def ticket(row: Row, entries: list[bytes]) -> Ticket:
    """A ticket with its history."""
    return Ticket(
        number=row["number"],
        desk=row["desk"],
        title=row["title"],
        text=row["text"],
        fields={label: str(value) for label, value in decode_dict.decode(row["fields"]).items()},
        files=decode_strings.decode(row["files"]),
        priority=row["priority"],
        status=row["status"],
        done=bool(row["done"]),
        client=row["client"],
        conversation=row["conversation"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        outer_number=row["outer_number"],
        outer_link=row["outer_link"],
        private=decode_strings.decode(row["private"]),
        history=[decode_dict.decode(entry) for entry in entries],
        waiting=bool(row["waiting"]),
        category=row["category"],
        assignee=row["assignee"],
        deadline=row["deadline"],
        line=row["line"],
        author=row["author"],
        rating=row["rating"],
        version=row["version"],
        master=row["master"],
        solved_at=row["solved_at"],
    )


def file_row(file: StoredFile, now: float) -> Row:
    """A file of ours as a row."""
    return {
        "id": file.id,
        "conversation": file.conversation,
        "name": file.name,
        "mime": file.mime,
        "size": file.size,
        "kind": file.kind,
        "channel": file.channel,
        "ref": file.ref,
        "sha256": file.sha256,
        "error": file.error,
        "created_at": now,
    }


def stored_file(row: Row) -> StoredFile:
    """A row as a file of ours."""
    return StoredFile(**{name: row[name] for name in StoredFile.__struct_fields__})


def bundle_row(bundle: Bundle) -> Row:
    """Published flows as a row; publishing makes them the current ones."""
    return {
        "id": bundle.id,
        "sources": encode(bundle.sources),
        "versions": encode(bundle.versions),
        "published_at": bundle.published_at,
        "current": 1,
    }


def bundle(row: Row) -> Bundle:
    """A row as published flows."""
    return Bundle(
        row["id"],
        decode_dict.decode(row["sources"]),
        decode_dict.decode(row["versions"]),
        row["published_at"],
        bool(row["current"]),
    )


def queue_entry(row: Row) -> dict[str, Any]:
    """An entry of a line's queue: `conversation`, `line`, `priority`, `deadline`, `note`, `since`."""
    return {name: row[name] for name in ("conversation", "line", "priority", "deadline", "note", "since")}
