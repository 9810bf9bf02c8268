"""The rows of the store in an SQL transaction: compiled statements on the raw driver, with the hot state in memory."""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import Any, Generic, TypeVar

from core.conversation import Conversation
from storage import queries as q
from storage.cards.card import card_columns
from storage.codec import decode_conversation, decode_dict, encode
from storage.driver import Driver
from storage.joining.sql import SqlJoinRows
from storage.rows import PENDING, Row
from storage.tickets.sql import SqlTicketRows

K = TypeVar("K")
V = TypeVar("V")


class Layers(Generic[K, V]):
    """A bounded cache of committed values under what the group under way has changed."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._committed: OrderedDict[K, V] = OrderedDict()
        self._group: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """The value as the group sees it."""
        found = self._group.get(key)
        return self.committed(key) if found is None else found

    def committed(self, key: K) -> V | None:
        """The value as everybody else may see it."""
        found = self._committed.get(key)
        if found is not None:
            self._committed.move_to_end(key)
        return found

    def put(self, key: K, value: V) -> None:
        """A value that the group wrote or read."""
        self._group[key] = value

    def keep(self) -> None:
        """The group is committed."""
        committed = self._committed
        for key, value in self._group.items():
            committed[key] = value
            committed.move_to_end(key)
        while len(committed) > self._size:
            committed.popitem(last=False)
        self._group = {}

    def drop(self) -> None:
        """The group was rolled back."""
        self._group = {}


State = tuple[bytes, int]  # a conversation as it is stored, and its epoch


class SqlRows(Driver, SqlJoinRows, SqlTicketRows):
    """`storage.rows.Rows` over the one writing connection of SQLite."""

    def __init__(self, connection: sqlite3.Connection, cached: int = 4096) -> None:
        super().__init__(connection)
        self._many = connection.executemany
        self._inserts = {name: self._statements[it] for name, it in q.INSERTS.items()}
        self.states: Layers[int, State] = Layers(cached)
        self._homes: Layers[tuple[str, str, str], int] = Layers(cached)
        self._cards: Layers[int, bytes] = Layers(cached)
        # One process owns the file, so what it knows of a conversation need not be asked for at every message.
        self._lanes: Layers[int, tuple[int, ...]] = Layers(cached)  # the waiting rows of its lane
        self._idle: Layers[int, bool] = Layers(cached)  # True: nothing is pending; else it must be looked up
        self._layers: tuple[Layers[Any, Any], ...] = (
            self.states,
            self._homes,
            self._cards,
            self._lanes,
            self._idle,
        )
        self._records: list[tuple[Any, ...]] = []
        self.touched: Callable[[Collection[int], Collection[int]], None] | None = None  # hears of each commit
        self._homes_saved, self._cards_saved = set[int](), set[int]()

    # --- the group ---

    def flush(self) -> None:
        """Write what the group collected; before its commit."""
        if self._records:
            self._many(self._inserts["records"].sql, self._records)

    def keep(self) -> None:
        """The group is committed."""
        self._records = []
        if self.touched is not None and (self._homes_saved or self._cards_saved):
            self.touched(self._homes_saved, self._cards_saved)
        self._homes_saved, self._cards_saved = set(), set()
        for layer in self._layers:
            layer.keep()

    def drop(self) -> None:
        """The group was rolled back."""
        self._records = []
        self._homes_saved, self._cards_saved = set(), set()
        for layer in self._layers:
            layer.drop()

    def insert(self, table: str, row: Row) -> None:
        compiled = self._inserts[table]
        if table == "records":
            self._records.append(compiled.pick(row))
            return
        self._execute(compiled.sql, compiled.pick(row))
        if table == "outbox":
            self._line_up(row)
        elif table == "inbox" and row["state"] == PENDING:
            self._idle.put(row["conversation"], False)

    def _line_up(self, row: Row) -> None:
        lane = self._lanes.get(row["conversation"]) if row["lane"] else None
        if lane is not None:
            self._lanes.put(row["conversation"], (*lane, row["id"]))

    # --- inbox ---

    def seen(self, channel: str, account: str, external_id: str) -> int | None:
        found: int | None = self.value(q.SEEN, channel=channel, account=account, external_id=external_id)
        return found

    def has_pending(self, conversation: int) -> bool:
        if self._idle.get(conversation):
            return False
        idle = self.value(q.HAS_PENDING, conversation=conversation) is None
        self._idle.put(conversation, idle)
        return not idle

    def pending(self, conversation: int, limit: int) -> list[Row]:
        return self.all(q.PENDING, conversation=conversation, n=limit)

    def finish_event(self, id: int, state: int, place: int, facts: bytes, outcome: bytes, error: str) -> None:
        self.run(q.FINISH_EVENT, the_id=id, state=state, place=place, facts=facts, outcome=outcome, error=error)

    def delay_event(self, id: int, attempts: int, not_before: float, error: str) -> None:
        self.run(q.DELAY_EVENT, the_id=id, attempts=attempts, not_before=not_before, error=error)

    # --- conversations and clients ---

    def conversation_of(self, channel: str, account: str, chat: str) -> int | None:
        key = (channel, account, chat)
        found = self._homes.get(key)
        if found is None:
            found = self.value(q.CONVERSATION_OF, channel=channel, account=account, chat=chat)
            if found is not None:
                self._homes.put(key, found)
        return found

    def conversation(self, id: int) -> Conversation | None:
        known = self.states.get(id)
        state = known[0] if known is not None else self.value(q.CONVERSATION, the_id=id)
        return None if state is None else decode_conversation.decode(state)

    def save_conversation(self, conversation: Conversation, was: int, last_at: float) -> None:
        state, epoch = encode(conversation), conversation.session.epoch
        talk = conversation.talk
        cursor = self.run(
            q.SAVE_SPOKEN if last_at else q.SAVE_CONVERSATION,
            the_id=conversation.id,
            was=was,
            state=state,
            version=conversation.version,
            epoch=epoch,
            live=int(talk.run is not None or talk.suspended is not None),
            last_at=last_at,
        )
        if cursor.rowcount != 1:
            raise RuntimeError(f"conversation {conversation.id} changed under its turn (version {was} is gone)")
        self.states.put(conversation.id, (state, epoch))
        self._homes_saved.add(conversation.id)

    def move_conversation(self, conversation: Conversation, chat: str) -> None:
        version = conversation.version
        conversation.chat, conversation.version = chat, version + 1
        self.run(q.MOVE_CONVERSATION, the_id=conversation.id, chat=chat)
        self.save_conversation(conversation, version, 0.0)

    def last_conversation(self, client: int) -> int | None:
        found: int | None = self.value(q.LAST_CONVERSATION, client=client)
        return found

    def client_of(self, channel: str, account: str, sender: str) -> int | None:
        found: int | None = self.value(q.CLIENT_OF, channel=channel, account=account, sender=sender)
        return found

    def card(self, client: int, own: bool = False) -> dict[str, Any]:
        known = self._cards.get(client)
        if known is None:
            known = self.value(q.CARD, the_id=client)
            self._cards.put(client, known)
        return decode_dict.decode(known)

    def save_card(self, client: int, card: dict[str, Any]) -> None:
        columns = card_columns(card)
        self.run(q.SAVE_CARD, the_id=client, **columns)
        self._cards.put(client, columns["card"])
        self._cards_saved.add(client)

    # --- history ---

    def edit_message(self, conversation: int, seq: int, message: bytes) -> None:
        self.run(q.EDIT_MESSAGE, home=conversation, place=seq, message=message)

    def settle_message(self, conversation: int, seq: int, state: str, reason: str, message_id: str) -> None:
        self.run(q.SETTLE_MESSAGE, home=conversation, place=seq, state=state, reason=reason, message_id=message_id)

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
        self.run(q.NAME_MESSAGE, conversation=conversation, message_id=message_id, seq=seq)

    def change_message(self, conversation: int, seq: int, event: bytes) -> None:
        self.run(q.CHANGE_MESSAGE, home=conversation, place=seq, event=event)

    def save_marks(self, conversation: int, seq: int, marks: bytes) -> None:
        self.run(q.SAVE_MARKS, conversation=conversation, seq=seq, marks=marks)

    # --- outbox ---

    def head(self, conversation: int) -> int | None:
        lane = self._lanes.get(conversation)
        if lane is None:
            lane = tuple(self.column(q.LANE, conversation=conversation))
            self._lanes.put(conversation, lane)
        return lane[0] if lane else None

    def outbox_row(self, id: int) -> Row | None:
        return self.one(q.OUTBOX_ROW, the_id=id)

    def newest_in_slot(self, conversation: int, slot: str) -> Row | None:
        return self.one(q.NEWEST_IN_SLOT, conversation=conversation, slot=slot)

    def rewrite(self, id: int, message: bytes, epoch: int, guarded: int) -> None:
        self.run(q.REWRITE, the_id=id, message=message, epoch=epoch, guarded=guarded)

    def settle_row(self, id: int, home: int, state: int, platform_ids: bytes, reason: str, now: float) -> bool:
        cursor = self.run(q.SETTLE_ROW, the_id=id, state=state, platform_ids=platform_ids, reason=reason, now=now)
        lane = self._lanes.get(home)
        if lane:
            self._lanes.put(home, tuple(it for it in lane if it != id))
        return cursor.rowcount == 1

    def delay_row(self, id: int, attempts: int, not_before: float, reason: str) -> bool:
        cursor = self.run(q.DELAY_ROW, the_id=id, attempts=attempts, not_before=not_before, reason=reason)
        return cursor.rowcount == 1

    def advance_row(self, id: int, sent_parts: bytes) -> None:
        self.run(q.ADVANCE_ROW, the_id=id, sent_parts=sent_parts)

    def waiting_edits(self, target: int) -> list[int]:
        return self.column(q.WAITING_EDITS, target=target)

    def readdress(self, conversation: int, chat: str) -> None:
        self.run(q.READDRESS, home=conversation, chat=chat)

    # --- timers ---

    def set_timer(self, row: Row) -> None:
        self.run(q.SET_TIMER, **row)

    def stop_timer(self, conversation: int, key: str) -> None:
        self.run(q.STOP_TIMER, conversation=conversation, key=key)

    def arm_timers(self, conversation: int, after: int, now: float) -> None:
        self.run(q.ARM_TIMERS, home=conversation, row=after, now=now)

    def due_timers(self, now: float, limit: int) -> list[Row]:
        return self.all(q.DUE_TIMERS, now=now, n=limit)

    # --- queue, files, reports ---

    def put_session(self, row: Row) -> None:
        self.run(q.PUT_SESSION, **row)

    def enqueue(self, row: Row) -> None:
        self.run(q.ENQUEUE, **row)

    def unqueue(self, conversation: int) -> None:
        self.run(q.UNQUEUE, conversation=conversation)

    def add_file(self, row: Row) -> None:
        self.run(q.ADD_FILE, **row)

    def store_file(self, id: str, sha256: str, size: int, mime: str, error: str) -> None:
        self.run(q.STORE_FILE, the_id=id, sha256=sha256, size=size, mime=mime, error=error)

    def count_uncaught(self, text: str, now: float) -> None:
        self.run(q.COUNT_UNCAUGHT, text=text, now=now)

    # --- the rest ---

    def set_cursor(self, channel: str, value: str, epoch: int) -> None:
        self.run(q.SET_CURSOR, channel=channel, value=value)

    def publish(self, row: Row) -> None:
        self.run(q.RETIRE_OTHERS, the_id=row["id"])
        self.run(q.PUBLISH, **row)

    def drop_bundle(self, id: str) -> None:
        self.run(q.DROP_BUNDLE, the_id=id)

    def add_web_client(self, row: Row) -> None:
        self.run(q.ADD_WEB_CLIENT, **row)

    def set_meta(self, name: str, value: str) -> None:
        self.run(q.SET_META, name=name, value=value)
