"""The rows of the store in a transaction of PostgreSQL: what was loaded beforehand, and what is to be written at its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from core.conversation import Conversation
from core.events import Inbound
from core.ports import LeaseLost
from storage import queries as q
from storage.cards.card import card_columns
from storage.codec import decode_conversation, decode_dict, encode
from storage.postgres.asking import Asking
from storage.postgres.flushing import columns_of, quoted
from storage.postgres.held import Lane, Loaded
from storage.postgres.inboxrows import PostgresInboxRows
from storage.postgres.joinrows import PostgresJoinRows
from storage.postgres.numbers import Sequences, TicketBlocks
from storage.postgres.questions import LANE_AHEAD
from storage.rows import WAITING, Row
from storage.tickets.sql import SqlTicketRows

_OUTBOX = quoted(columns_of("outbox"))
LOCK_STATE = "SELECT version, epoch, client, state FROM conversations WHERE id = $1 FOR NO KEY UPDATE"
LOCK_ROW = "SELECT state FROM outbox WHERE id = $1 FOR NO KEY UPDATE"
LOCK_CARD = "SELECT card FROM clients WHERE id = $1 FOR NO KEY UPDATE"
# Two who publish at once would each retire what they can see, and leave two current bundles.
LOCK_BUNDLES = "LOCK TABLE bundles IN SHARE ROW EXCLUSIVE MODE"
LOCK_TICKET = "SELECT 1 FROM tickets WHERE number = $1 FOR NO KEY UPDATE"
LANE = f"SELECT id FROM outbox WHERE conversation = $1 AND state = 0 AND lane = 1 ORDER BY id LIMIT {LANE_AHEAD}"
ROW = f"SELECT {_OUTBOX} FROM outbox WHERE id = $1"
NEXT = "SELECT nextval($1::regclass) FROM generate_series(1, $2::int)"
DUE = (
    "SELECT conversation, key, due, after, seconds, data FROM timers WHERE due IS NOT NULL AND due <= $1"
    " ORDER BY due LIMIT $2 FOR UPDATE SKIP LOCKED"
)
# The lease cannot change hands before this transaction ends.
FENCE = "SELECT epoch FROM leases WHERE name = $1 FOR SHARE"


def next_numbers(asking: Asking, sequence: str, count: int) -> list[int]:
    """So many ids. No method of the rows: rows and numbers that know each other would wait for the collector."""
    return [record[0] for record in asking.fetch(NEXT, sequence, count)]


class PostgresRows(PostgresInboxRows, PostgresJoinRows, SqlTicketRows):
    """`storage.rows.Rows` within one transaction; works inside `greenlet_spawn`.

    Changes are collected and written together: at the end, or before a question whose answer they may change.
    """

    def __init__(
        self,
        link: Any,
        owner: str,
        instance: str,
        blocks: TicketBlocks,
        own_clock: Callable[[], float] | None = None,
        per_turn: float = 2.0,
        clean: bool = False,
        doubtful: bool = False,
    ) -> None:
        super().__init__(link, clean, doubtful)
        self.owner = owner
        self.own_clock = own_clock
        self.now = 0.0
        self.numbers = Sequences(partial(next_numbers, Asking(link)), instance, blocks)
        self.outbox_count = 0
        self._per_turn = per_turn
        # what was loaded
        self.homes: dict[tuple[str, str, str], int | None] = {}  # None: a new chat
        self.senders: dict[tuple[str, str, str], int | None] = {}
        self.states: dict[int, Loaded] = {}
        self.cards: dict[int, bytes | None] = {}
        self.lanes: dict[int, Lane] = {}
        self.outbox: dict[int, Row] = {}
        self.row_states: dict[int, int | None] = {}

    def insert(self, table: str, row: Row) -> None:
        if table == "inbox":
            self._fresh["inbox", row["id"]] = row
            self.seen_events[row["channel"], row["account"], row["external_id"]] = row["conversation"]
            if not row["state"]:
                self.pending_flags[row["conversation"]] = True
                self.waiting_events.pop(row["conversation"], None)
        elif table == "outbox":
            self._insert_outbox(row)
        elif table == "messages":
            self._fresh["messages", (row["conversation"], row["seq"])] = row
        elif table in {"conversations", "clients", "identities"}:
            self._insert_known(table, row)
        self._inserts.setdefault(table, []).append(row)

    def _insert_outbox(self, row: Row) -> None:
        row["lease_owner"], row["lease_until"] = "", 0.0
        self._fresh["outbox", row["id"]] = self.outbox[row["id"]] = row
        self.outbox_count += 1
        lane = self.lanes.get(row["conversation"])
        if row["lane"] and lane is not None and not lane.more:
            lane.ids.append(row["id"])

    def _insert_known(self, table: str, row: Row) -> None:
        if table == "conversations":
            self._fresh["conversations", row["id"]] = row
            self.homes[row["channel"], row["account"], row["chat"]] = row["id"]
            self.states[row["id"]] = Loaded(row["version"], row["epoch"], row["client"], row["state"])
            self.pending_flags[row["id"]] = False
            self.lanes[row["id"]] = Lane([])
        elif table == "clients":
            self._fresh["clients", row["id"]] = row
            self.cards[row["id"]] = row["card"]
        else:
            self.senders[row["channel"], row["account"], row["sender"]] = row["client"]

    # --- what the loading brings ---

    def estimate(self, turns: int) -> int:
        """How many rows of the outbox so many turns will write."""
        return int(turns * self._per_turn) + 2 if turns else 0

    def meet(self, missing: Sequence[Inbound], homes: Sequence[int | None], clients: Sequence[int | None]) -> None:
        """Chats that could not be locked: new ones, and those that another transaction has."""
        for it, home, client in zip(missing, homes, clients, strict=True):
            self.senders[it.channel, it.account, it.sender_id or it.chat] = client
            self.homes[it.channel, it.account, it.chat] = home
            if home is not None:
                self.foreign.add(home)

    def hold(self, holds: Sequence[tuple[int, int]], found: Sequence[int | None]) -> None:
        """Rows that get their verdict (their state), and the first rows of lanes (their id)."""
        for (home, id), value in zip(holds, found, strict=True):
            if id:
                self.row_states[id] = value
            else:
                self.lanes[home] = Lane([] if value is None else [value], more=value is not None)

    # --- conversations and clients ---

    def conversation_of(self, channel: str, account: str, chat: str) -> int | None:
        key = (channel, account, chat)
        if key not in self.homes:
            self.homes[key] = self.value(q.CONVERSATION_OF, channel=channel, account=account, chat=chat)
        return self.homes[key]

    def conversation(self, id: int) -> Conversation | None:
        known = self._state(id)
        return None if known is None else decode_conversation.decode(known.state)

    def _state(self, id: int) -> Loaded | None:
        if id not in self.states:
            found = self.fetch(LOCK_STATE, id)
            if not found:
                return None
            self.states[id] = Loaded(*found[0])
        return self.states[id]

    def save_conversation(self, conversation: Conversation, was: int, last_at: float) -> None:
        id, known = conversation.id, self._state(conversation.id)
        if known is None or known.version != was:
            raise RuntimeError(f"conversation {id} changed under its turn (version {was} is gone)")
        known.state, known.version, known.epoch = encode(conversation), conversation.version, conversation.session.epoch
        self.saved[0].add(id)
        talk = conversation.talk
        live = int(talk.run is not None or talk.suspended is not None)
        fresh = self._fresh.get(("conversations", id))
        if fresh is not None:
            values = {"version": known.version, "epoch": known.epoch, "live": live, "state": known.state}
            fresh.update(values, last_at=last_at or fresh["last_at"])
            return
        before = self._saves.get(id)
        first, spoken = (before[1], last_at or before[5]) if before is not None else (was, last_at)
        self._saves[id] = (id, first, known.version, known.epoch, live, spoken, known.state)

    def move_conversation(self, conversation: Conversation, chat: str) -> None:
        version = conversation.version
        conversation.chat, conversation.version = chat, version + 1
        self.homes.pop((conversation.channel, conversation.account, chat), None)
        self.run(q.MOVE_CONVERSATION, the_id=conversation.id, chat=chat)
        self.save_conversation(conversation, version, 0.0)

    def last_conversation(self, client: int) -> int | None:
        found: int | None = self.value(q.LAST_CONVERSATION, client=client)
        return found

    def client_of(self, channel: str, account: str, sender: str) -> int | None:
        key = (channel, account, sender)
        if key not in self.senders:
            self.senders[key] = self.value(q.CLIENT_OF, channel=channel, account=account, sender=sender)
        return self.senders[key]

    def card(self, client: int, own: bool = False) -> dict[str, Any]:
        if own and ("clients", client) not in self._fresh and ("card", client) not in self._touched:
            self.cards[client] = self.fetch(LOCK_CARD, client)[0][0]
        known = self.cards.get(client)
        if known is None:
            known = self.cards[client] = self.value(q.CARD, the_id=client)
        return decode_dict.decode(known)

    def save_card(self, client: int, card: dict[str, Any]) -> None:
        columns = card_columns(card)
        self.cards[client] = columns["card"]
        self.saved[1].add(client)
        fresh = self._fresh.get(("clients", client))
        if fresh is not None:
            fresh.update(columns)
        else:
            self._change("save card", ("card", client), client, *columns.values())

    # --- history ---

    def edit_message(self, conversation: int, seq: int, message: bytes) -> None:
        fresh = self._fresh.get(("messages", (conversation, seq)))
        if fresh is not None:
            fresh.update(message=message, edited=fresh["edited"] + 1)
        else:
            self._change("edit message", ("messages", (conversation, seq)), conversation, seq, message)

    def settle_message(self, conversation: int, seq: int, state: str, reason: str, message_id: str) -> None:
        fresh = self._fresh.get(("messages", (conversation, seq)))
        if fresh is not None:
            fresh.update(state=state, reason=reason, message_id=message_id)
        else:
            key = ("messages", (conversation, seq))
            self._change("settle message", key, conversation, seq, state, reason, message_id)

    def message(self, conversation: int, seq: int) -> Row | None:
        return self.one(q.MESSAGE, home=conversation, place=seq)

    def message_named(self, conversation: int, message_id: str, after: int) -> int | None:
        found = self.value(q.MESSAGE_NAMED, conversation=conversation, message_id=message_id, after=after)
        if found is None:
            found = self.value(q.MESSAGE_PART_NAMED, conversation=conversation, message_id=message_id)
        return None if found is None else int(found)

    def messages_after(self, conversation: int, after: int, limit: int) -> list[Row]:
        return self.all(q.HISTORY, conversation=conversation, after=after, n=limit)

    def name_message(self, conversation: int, message_id: str, seq: int) -> None:
        self._change("name message", ("name", (conversation, message_id)), conversation, message_id, seq)

    def change_message(self, conversation: int, seq: int, event: bytes) -> None:
        self.run(q.CHANGE_MESSAGE, home=conversation, place=seq, event=event)

    def save_marks(self, conversation: int, seq: int, marks: bytes) -> None:
        self.run(q.SAVE_MARKS, conversation=conversation, seq=seq, marks=marks)

    # --- outbox ---

    def head(self, conversation: int) -> int | None:
        lane = self.lanes.get(conversation)
        if lane is None or (lane.more and not lane.ids):
            ids = [record[0] for record in self.fetch(LANE, conversation)]
            lane = self.lanes[conversation] = Lane(ids, more=len(ids) == LANE_AHEAD)
        return lane.ids[0] if lane.ids else None

    def outbox_row(self, id: int) -> Row | None:
        if id not in self.outbox:
            found = self.fetch(ROW, id)
            if not found:
                return None
            self.outbox[id] = dict(found[0].items())
        return self.outbox[id]

    def newest_in_slot(self, conversation: int, slot: str) -> Row | None:
        row = self.one(q.NEWEST_IN_SLOT, conversation=conversation, slot=slot)
        if row is not None:
            self.outbox[row["id"]] = row
        return row

    def _change_row(self, id: int, kind: str, **values: Any) -> None:
        """Change a row that is still waiting."""
        known = self.outbox.get(id)
        if known is not None:
            known.update(values)
        if ("outbox", id) not in self._fresh:
            self._change(kind, ("outbox", id), id, *values.values())

    def _is_waiting(self, id: int) -> bool:
        state = self.outbox[id]["state"] if id in self.outbox else self.row_states.get(id)
        if state is None:
            found = self.fetch(LOCK_ROW, id)
            state = self.row_states[id] = found[0][0] if found else None
        return bool(state == WAITING)

    def rewrite(self, id: int, message: bytes, epoch: int, guarded: int) -> None:
        if self._is_waiting(id):
            self._change_row(id, "rewrite row", message=message, epoch=epoch, guarded=guarded)

    def settle_row(self, id: int, home: int, state: int, platform_ids: bytes, reason: str, now: float) -> bool:
        if not self._is_waiting(id):
            return False
        self._change_row(id, "settle row", state=state, platform_ids=platform_ids, reason=reason, settled_at=now)
        self.row_states[id] = state
        lane = self.lanes.get(home)
        if lane is not None and id in lane.ids:
            lane.ids.remove(id)
        return True

    def delay_row(self, id: int, attempts: int, not_before: float, reason: str) -> bool:
        if not self._is_waiting(id):
            return False
        self._change_row(id, "delay row", attempts=attempts, not_before=not_before, reason=reason)
        if id in self.outbox:
            self.outbox[id].update(lease_owner="", lease_until=0.0)
        return True

    def advance_row(self, id: int, sent_parts: bytes) -> None:
        if self._is_waiting(id):
            self._change_row(id, "advance row", sent_parts=sent_parts)

    def lease(self, id: int, until: float) -> None:
        """Note who sends the row until when."""
        self._change_row(id, "lease row", lease_owner=self.owner, lease_until=until)

    def waiting_edits(self, target: int) -> list[int]:
        return self.column(q.WAITING_EDITS, target=target)

    def readdress(self, conversation: int, chat: str) -> None:
        self.run(q.READDRESS, home=conversation, chat=chat)
        for row in self.outbox.values():
            if row["conversation"] == conversation and row["lane"] and row["state"] == WAITING:
                row["chat"] = chat

    # --- timers ---

    def set_timer(self, row: Row) -> None:
        self._write_timer(row["conversation"], row["key"], row)

    def stop_timer(self, conversation: int, key: str) -> None:
        self._write_timer(conversation, key, None)

    def _write_timer(self, conversation: int, key: str, row: Row | None) -> None:
        self._timers[conversation, key] = row

    def arm_timers(self, conversation: int, after: int, now: float) -> None:
        if any(home == conversation for home, _ in self._timers):
            self.flush()
        self._armed.setdefault((conversation, after), now)

    def due_timers(self, now: float, limit: int) -> list[Row]:
        due = [dict(record.items()) for record in self.fetch(DUE, now, limit)]
        self.numbers.ensure("inbox", len(due) + 1)
        return due

    # --- tickets, queue, files, reports ---

    def has_ticket(self, key: str) -> bool:
        if not self._doubtful:  # as with keys of internal events
            return any(row["key"] == key for row in self._inserts.get("tickets", ()))
        return super().has_ticket(key)

    def ticket_row(self, number: int) -> Row | None:
        self.fetch(LOCK_TICKET, number)
        return super().ticket_row(number)

    def put_session(self, row: Row) -> None:
        key = (row["conversation"], row["number"])
        before = self._sessions.pop(key, row)  # the last change of a session is written last
        self._sessions[key] = row | {"last_at": max(row["last_at"], before["last_at"])}

    def enqueue(self, row: Row) -> None:
        self._queue[row["conversation"]] = row

    def unqueue(self, conversation: int) -> None:
        self._queue[conversation] = None

    def add_file(self, row: Row) -> None:
        self.run(q.ADD_FILE, **row)

    def store_file(self, id: str, sha256: str, size: int, mime: str, error: str) -> None:
        self.run(q.STORE_FILE, the_id=id, sha256=sha256, size=size, mime=mime, error=error)

    def count_uncaught(self, text: str, now: float) -> None:
        self._uncaught[text] = (self._uncaught.get(text, (0, 0.0))[0] + 1, now)

    # --- the rest ---

    def set_cursor(self, channel: str, value: str, epoch: int) -> None:
        if epoch:
            held = self.link_fetch(FENCE, f"poll:{channel}")
            if not held or held[0][0] != epoch:
                raise LeaseLost(f"poll:{channel} has another epoch than {epoch}")
        self.run(q.SET_CURSOR, channel=channel, value=value)

    def publish(self, row: Row) -> None:
        self.link_fetch(LOCK_BUNDLES)
        self.run(q.RETIRE_OTHERS, the_id=row["id"])
        self.run(q.PUBLISH, **row)

    def drop_bundle(self, id: str) -> None:
        self.run(q.DROP_BUNDLE, the_id=id)

    def add_web_client(self, row: Row) -> None:
        self.run(q.ADD_WEB_CLIENT, **row)
