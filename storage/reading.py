"""Questions that people and channels ask of the committed data, over a connection that cannot write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from core.conversation import Conversation, Run
from core.ports import Bundle, Done, HistoryItem, StoredFile, Ticket
from storage import claims, shape
from storage import queries as q
from storage.asked import Asked
from storage.codec import decode_conversation, decode_dict
from storage.driver import Driver
from storage.joining.sql import SqlJoinReads
from storage.rows import Row


class Questions(Asked, Protocol):
    """All reads of the port. Nothing is kept between two calls, so every answer is what was committed last."""

    # --- conversations and clients ---

    def conversation(self, id: int) -> Conversation | None:
        state = self.value(q.CONVERSATION, the_id=id)
        return None if state is None else decode_conversation.decode(state)

    def epoch(self, id: int) -> int:
        return int(self.value(q.EPOCH, the_id=id) or 0)

    def versions(self, conversations: Sequence[int]) -> dict[int, int]:
        found = {id: self.value(q.VERSION, the_id=id) for id in conversations}
        return {id: version for id, version in found.items() if version is not None}

    def find_conversation(self, channel: str, account: str, chat: str) -> Conversation | None:
        id = self.value(q.CONVERSATION_OF, channel=channel, account=account, chat=chat)
        return None if id is None else self.conversation(id)

    def last_conversation(self, client: int) -> Conversation | None:
        id = self.value(q.LAST_CONVERSATION, client=client)
        return None if id is None else self.conversation(id)

    def client(self, id: int) -> dict[str, Any] | None:
        card = self.value(q.CARD, the_id=id)
        return None if card is None else decode_dict.decode(card)

    def find_clients(self, phone: str) -> list[int]:
        return self.column(q.CLIENTS_BY_PHONE, phone=phone)

    def history(self, conversation: int, after: int, limit: int) -> list[HistoryItem]:
        return [shape.history_item(row) for row in self.all(q.HISTORY, conversation=conversation, after=after, n=limit)]

    def notes(self, conversation: int) -> list[dict[str, Any]]:
        return self.all(q.NOTES, conversation=conversation)

    def events(self, conversation: int) -> list[Done]:
        return [shape.processed_event(row) for row in self.all(q.PROCESSED, conversation=conversation)]

    # --- tickets and queue ---

    def ticket(self, number: int) -> Ticket | None:
        row = self.one(q.TICKET, number=number)
        return None if row is None else self._ticket(row)

    def tickets(self, client: int | None, desk: str | None, status: str | None, limit: int) -> list[Ticket]:
        statement = q.TICKETS if client is None else q.TICKETS_OF_CLIENT
        rows = self.all(statement, client=client, desk=desk, status=status, n=limit)
        return [self._ticket(row) for row in rows]

    def _ticket(self, row: Row) -> Ticket:
        entries = [entry for (entry,) in self.run(q.TICKET_ENTRIES, number=row["number"])]
        return shape.ticket(row, entries)

    def queue(self, line: str | None) -> list[dict[str, Any]]:
        return [shape.queue_entry(row) for row in self.all(q.QUEUE, line=line)]

    # --- inbox, outbox and timers ---

    def ready(self, now: float, limit: int) -> list[int]:
        """Conversations with pending events, none of which waits for a later attempt; the oldest first."""
        found = self.column(claims.READY_FIRST, now=now, n=limit, window=claims.WINDOW * limit)
        return found if len(found) == limit else self.column(claims.READY, now=now, n=limit)

    def due_rows(self, now: float, limit: int) -> list[int]:
        """Rows that may be sent now: the first of each lane, and those that go side by side; the oldest first."""
        return sorted(self.column(q.HEADS, now=now) + self.column(q.ASIDE, now=now, n=limit))

    def next_due(self) -> float | None:
        found: float | None = self.value(q.NEXT_DUE)
        return found

    # --- files, flows, the rest ---

    def file(self, id: str) -> StoredFile | None:
        row = self.one(q.FILE, the_id=id)
        return None if row is None else shape.stored_file(row)

    def named_hashes(self, hashes: Sequence[str]) -> set[str]:
        """Those that a row of `files` names."""
        return {sha256 for sha256 in hashes if self.value(q.NAMED_HASH, sha256=sha256) is not None}

    def bundles(self) -> list[Bundle]:
        return [shape.bundle(row) for row in self.all(q.BUNDLES)]

    def current_bundle(self) -> tuple[str, float]:
        row = self.one(q.CURRENT_BUNDLE)
        return ("", 0.0) if row is None else (row["id"], row["published_at"])

    def live_versions(self) -> dict[str, dict[str, int]]:
        return count_versions([decode_conversation.decode(state) for (state,) in self.run(q.LIVE)])

    def uncaught(self, limit: int) -> list[tuple[str, int, float]]:
        return [(row["text"], row["times"], row["last_at"]) for row in self.all(q.UNCAUGHT, n=limit)]

    def cursor(self, channel: str) -> str:
        return self.value(q.CURSOR, channel=channel) or ""

    def web_client(self, channel: str, token_hash: str) -> str | None:
        found: str | None = self.value(q.WEB_CLIENT, channel=channel, token_hash=token_hash)
        return found

    def meta(self, name: str) -> str:
        return self.value(q.META, name=name) or ""

    def backlog(self, now: float) -> tuple[int, float]:
        """Pending events and the age of the oldest; both from the index of what is pending."""
        count = int(self.value(q.COUNTS["inbox"]))
        return count, _age(now, self.value(q.OLDEST_EVENT)) if count else 0.0

    def stats(self, now: float) -> dict[str, float]:
        counts = {name: float(self.value(statement)) for name, statement in q.COUNTS.items()}
        return {
            "inbox": counts["inbox"],
            "outbox": counts["outbox"] + counts["aside"],
            "inbox_age": _age(now, self.value(q.OLDEST_EVENT)),
            "outbox_age": max(_age(now, self.value(q.OLDEST_SEND)), _age(now, self.value(q.OLDEST_ASIDE))),
            "timers": counts["timers"],
            "queued": counts["queued"],
            "quarantine": counts["quarantine"],
            "dead": counts["dead_events"] + counts["dead_rows"],
        }


class Reading(Driver, Questions, SqlJoinReads):
    """The reads over a connection to SQLite."""


def _age(now: float, since: float | None) -> float:
    return 0.0 if since is None else max(0.0, now - since)


def count_versions(conversations: list[Conversation]) -> dict[str, dict[str, int]]:
    """flow → version → runs that need it, suspended ones too. A run needs the version of each flow on its stack."""
    counts: dict[str, dict[str, int]] = {}
    for it in conversations:
        for flow, version in (pair for run in (it.talk.run, it.talk.suspended) for pair in _needs(run)):
            versions = counts.setdefault(flow, {})
            versions[version] = versions.get(version, 0) + 1
    return counts


def _needs(run: Run | None) -> set[tuple[str, str]]:
    return set() if run is None else {(frame.flow, frame.version) for frame in run.frames}
