"""The rows of the store in dictionaries: the in-memory twin of `storage.sql_rows`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from core.conversation import Conversation
from storage.cards.card import card_columns
from storage.codec import decode_conversation, decode_dict, encode
from storage.joining.memory import MemoryJoins
from storage.rows import PENDING, WAITING, Row
from storage.tickets.memory import MemoryTickets

Key = tuple[Any, ...]

# What makes a row of a table unique; tables that are not named number their rows.
KEYS: dict[str, tuple[str, ...]] = {
    "conversations": ("id",),
    "clients": ("id",),
    "identities": ("channel", "account", "sender"),
    "inbox": ("id",),
    "outbox": ("id",),
    "timers": ("conversation", "key"),
    "messages": ("conversation", "seq"),
    "message_marks": ("conversation", "seq"),
    "message_ids": ("conversation", "message_id"),
    "tickets": ("number",),
    "ticket_history": ("number", "place"),
    "ticket_sessions": ("ticket", "conversation", "session"),
    "queue": ("conversation",),
    "files": ("id",),
    "sessions": ("conversation", "number"),
    "uncaught": ("text",),
    "cursors": ("channel",),
    "bundles": ("id",),
    "web_clients": ("channel", "token_hash"),
    "joins": ("id",),
    "codes": ("digest",),
    "code_tries": ("scope",),
    "users": ("id",),
    "user_lines": ("user_id", "line"),
    "logins": ("digest",),
    "tokens": ("id",),
    "guesses": ("scope",),
    "audit": ("id",),
    "requests": ("owner", "key"),
    "meta": ("name",),
}
NUMBERED = ("notes", "records", "quarantine", "feed", "assignments", "mentions")


class MemoryRows(MemoryJoins, MemoryTickets):
    """`storage.rows.Rows` over dictionaries. Rows are replaced, never changed in place, so that a unit can be undone."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[Key, Row]] = {name: {} for name in (*KEYS, *NUMBERED)}
        self._seen: dict[tuple[str, str, str], int] = {}
        self._undo: list[Callable[[], object]] = []

    # --- units ---

    def keep_unit(self) -> None:
        """The unit succeeded."""
        self._undo.clear()

    def drop_unit(self) -> None:
        """The unit failed: it never was."""
        for undo in reversed(self._undo):
            undo()
        self._undo.clear()

    # --- tables ---

    def all(self, table: str, **wanted: Any) -> Iterator[Row]:
        """Rows that have these values, in the order of their birth."""
        items = wanted.items()
        return (row for row in self.tables[table].values() if all(row[name] == value for name, value in items))

    def get(self, table: str, *key: Any) -> Row | None:
        return self.tables[table].get(key)

    def put(self, table: str, row: Row, *key: Any) -> None:
        """Insert or replace a row."""
        rows = self.tables[table]
        old = rows.get(key)
        self._undo.append(lambda: rows.pop(key) if old is None else rows.update({key: old}))
        rows[key] = row

    def change(self, table: str, *key: Any, **values: Any) -> bool:
        """Change columns of a row; False when there is none."""
        row = self.get(table, *key)
        if row is not None:
            self.put(table, row | values, *key)
        return row is not None

    def remove(self, table: str, *key: Any) -> None:
        rows = self.tables[table]
        old = rows.pop(key, None)
        if old is not None:
            self._undo.append(lambda: rows.update({key: old}))

    def insert(self, table: str, row: Row) -> None:
        if table in NUMBERED:
            number = len(self.tables[table]) + 1
            self.put(table, {"id": number, **row}, number)
            return
        key = tuple(row[name] for name in KEYS[table])
        if key in self.tables[table]:
            raise ValueError(f"{table} has {key} already")
        self.put(table, row, *key)
        if table == "inbox":
            self._see(row)

    def _see(self, row: Row) -> None:
        name = (row["channel"], row["account"], row["external_id"])
        self._seen[name] = row["conversation"]
        self._undo.append(lambda: self._seen.pop(name))

    # --- inbox ---

    def seen(self, channel: str, account: str, external_id: str) -> int | None:
        return self._seen.get((channel, account, external_id))

    def has_pending(self, conversation: int) -> bool:
        return bool(self.pending(conversation, 1))

    def pending(self, conversation: int, limit: int) -> list[Row]:
        return list(self.all("inbox", conversation=conversation, state=PENDING))[:limit]

    def finish_event(self, id: int, state: int, place: int, facts: bytes, outcome: bytes, error: str) -> None:
        self.change("inbox", id, state=state, place=place, facts=facts, outcome=outcome, error=error)

    def delay_event(self, id: int, attempts: int, not_before: float, error: str) -> None:
        self.change("inbox", id, attempts=attempts, not_before=not_before, error=error)

    # --- conversations and clients ---

    def conversation_of(self, channel: str, account: str, chat: str) -> int | None:
        return next((row["id"] for row in self.all("conversations", channel=channel, account=account, chat=chat)), None)

    def conversation(self, id: int) -> Conversation | None:
        row = self.get("conversations", id)
        return None if row is None else decode_conversation.decode(row["state"])

    def save_conversation(self, conversation: Conversation, was: int, last_at: float) -> None:
        row = self.get("conversations", conversation.id)
        if row is None or row["version"] != was:
            raise RuntimeError(f"conversation {conversation.id} changed under its turn (version {was} is gone)")
        self.change(
            "conversations",
            conversation.id,
            state=encode(conversation),
            version=conversation.version,
            epoch=conversation.session.epoch,
            last_at=last_at or row["last_at"],
        )

    def move_conversation(self, conversation: Conversation, chat: str) -> None:
        version = conversation.version
        conversation.chat, conversation.version = chat, version + 1
        self.change("conversations", conversation.id, chat=chat)
        self.save_conversation(conversation, version, 0.0)

    def last_conversation(self, client: int) -> int | None:
        found = max(self.all("conversations", client=client), key=lambda row: (row["last_at"], row["id"]), default=None)
        return None if found is None else int(found["id"])

    def client_of(self, channel: str, account: str, sender: str) -> int | None:
        row = self.get("identities", channel, account, sender)
        return None if row is None else int(row["client"])

    def card(self, client: int, own: bool = False) -> dict[str, Any]:
        return decode_dict.decode(self.tables["clients"][client,]["card"])

    def save_card(self, client: int, card: dict[str, Any]) -> None:
        self.change("clients", client, **card_columns(card))

    # --- history ---

    def edit_message(self, conversation: int, seq: int, message: bytes) -> None:
        edited = self.tables["messages"][conversation, seq]["edited"]
        self.change("messages", conversation, seq, message=message, edited=edited + 1)

    def settle_message(self, conversation: int, seq: int, state: str, reason: str, message_id: str) -> None:
        self.change("messages", conversation, seq, state=state, reason=reason, message_id=message_id)

    def message(self, conversation: int, seq: int) -> Row | None:
        row = self.get("messages", conversation, seq)
        return (
            None if row is None else row | {"marks": (self.get("message_marks", conversation, seq) or {}).get("marks")}
        )

    def message_named(self, conversation: int, message_id: str, after: int) -> int | None:
        named = [row["seq"] for row in self.all("messages", conversation=conversation, message_id=message_id)]
        part = self.get("message_ids", conversation, message_id)
        found = [seq for seq in named if seq > after] or ([part["seq"]] if part else [])
        return max(found, default=None)

    def messages_after(self, conversation: int, after: int, limit: int) -> list[Row]:
        places = [row["seq"] for row in self.all("messages", conversation=conversation) if row["seq"] > after]
        return [row for seq in places[:limit] if (row := self.message(conversation, seq)) is not None]

    def name_message(self, conversation: int, message_id: str, seq: int) -> None:
        if self.get("message_ids", conversation, message_id) is None:
            row = {"conversation": conversation, "message_id": message_id, "seq": seq}
            self.put("message_ids", row, conversation, message_id)

    def change_message(self, conversation: int, seq: int, event: bytes) -> None:
        edited = self.tables["messages"][conversation, seq]["edited"]
        self.change("messages", conversation, seq, event=event, edited=edited + 1)

    def save_marks(self, conversation: int, seq: int, marks: bytes) -> None:
        self.put("message_marks", {"conversation": conversation, "seq": seq, "marks": marks}, conversation, seq)

    # --- outbox ---

    def head(self, conversation: int) -> int | None:
        return next((row["id"] for row in self.all("outbox", conversation=conversation, state=WAITING, lane=1)), None)

    def outbox_row(self, id: int) -> Row | None:
        return self.get("outbox", id)

    def newest_in_slot(self, conversation: int, slot: str) -> Row | None:
        return max(self.all("outbox", conversation=conversation, slot=slot), key=lambda row: row["id"], default=None)

    def rewrite(self, id: int, message: bytes, epoch: int, guarded: int) -> None:
        self._change_waiting(id, message=message, epoch=epoch, guarded=guarded)

    def settle_row(self, id: int, home: int, state: int, platform_ids: bytes, reason: str, now: float) -> bool:
        return self._change_waiting(id, state=state, platform_ids=platform_ids, reason=reason, settled_at=now)

    def delay_row(self, id: int, attempts: int, not_before: float, reason: str) -> bool:
        return self._change_waiting(id, attempts=attempts, not_before=not_before, reason=reason)

    def advance_row(self, id: int, sent_parts: bytes) -> None:
        self._change_waiting(id, sent_parts=sent_parts)

    def _change_waiting(self, id: int, **values: Any) -> bool:
        row = self.get("outbox", id)
        return row is not None and row["state"] == WAITING and self.change("outbox", id, **values)

    def waiting_edits(self, target: int) -> list[int]:
        return [row["id"] for row in self.all("outbox", target=target, state=WAITING)]

    def readdress(self, conversation: int, chat: str) -> None:
        for row in list(self.all("outbox", conversation=conversation, state=WAITING, lane=1)):
            self.change("outbox", row["id"], chat=chat)

    # --- timers ---

    def set_timer(self, row: Row) -> None:
        self.put("timers", row, row["conversation"], row["key"])

    def stop_timer(self, conversation: int, key: str) -> None:
        self.remove("timers", conversation, key)

    def arm_timers(self, conversation: int, after: int, now: float) -> None:
        for row in list(self.all("timers", conversation=conversation, after=after)):
            self.change("timers", conversation, row["key"], due=row["seconds"] + now, after=0)

    def due_timers(self, now: float, limit: int) -> list[Row]:
        due = [row for row in self.tables["timers"].values() if row["due"] is not None and row["due"] <= now]
        return sorted(due, key=lambda row: float(row["due"]))[: limit if limit >= 0 else None]

    # --- queue, files, reports ---

    def put_session(self, row: Row) -> None:
        key = (row["conversation"], row["number"])
        before = self.get("sessions", *key) or {"last_at": 0.0}
        self.put("sessions", row | {"last_at": max(row["last_at"], before["last_at"])}, *key)

    def enqueue(self, row: Row) -> None:
        self.put("queue", row, row["conversation"])

    def unqueue(self, conversation: int) -> None:
        self.remove("queue", conversation)

    def add_file(self, row: Row) -> None:
        if self.get("files", row["id"]) is None:
            self.insert("files", row)

    def store_file(self, id: str, sha256: str, size: int, mime: str, error: str) -> None:
        self.change("files", id, sha256=sha256, size=size, mime=mime, error=error)

    def count_uncaught(self, text: str, now: float) -> None:
        row = self.get("uncaught", text)
        self.put("uncaught", {"text": text, "times": (row["times"] if row else 0) + 1, "last_at": now}, text)

    # --- the rest ---

    def set_cursor(self, channel: str, value: str, epoch: int) -> None:
        self.put("cursors", {"channel": channel, "value": value}, channel)

    def publish(self, row: Row) -> None:
        for other in list(self.tables["bundles"].values()):
            self.change("bundles", other["id"], current=0)
        self.put("bundles", row, row["id"])

    def drop_bundle(self, id: str) -> None:
        self.remove("bundles", id)

    def add_web_client(self, row: Row) -> None:
        self.put("web_clients", row, row["channel"], row["token_hash"])
