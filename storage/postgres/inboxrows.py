"""The inbox within a transaction of PostgreSQL: what is known of it beforehand, and what each change makes unknown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from storage import queries as q
from storage.postgres.collecting import Collecting
from storage.rows import Row


class PostgresInboxRows(Collecting):
    """`doubtful`: a key that was thought to be new was not."""

    def __init__(self, link: Any, clean: bool = False, doubtful: bool = False) -> None:
        super().__init__(link, clean)
        self._doubtful = doubtful
        self.seen_events: dict[tuple[str, str, str], int | None] = {}
        self.pending_flags: dict[int, bool] = {}
        self.waiting_events: dict[int, list[Row]] = {}
        self._waits_in: dict[int, int] = {}  # event → conversation

    def seen(self, channel: str, account: str, external_id: str) -> int | None:
        key = (channel, account, external_id)
        if key not in self.seen_events:
            # Keys of internal events are new by their making; one that is not is refused by the database, and then we look.
            if not channel and not self._doubtful:
                return None
            self.seen_events[key] = self.value(q.SEEN, channel=channel, account=account, external_id=external_id)
        return self.seen_events[key]

    def has_pending(self, conversation: int) -> bool:
        if conversation in self.foreign:
            return True  # whoever has it may leave something
        known = self.pending_flags.get(conversation)
        if known is None:
            known = self.value(q.HAS_PENDING, conversation=conversation) is not None
            self.pending_flags[conversation] = known
        return known

    def pending(self, conversation: int, limit: int) -> list[Row]:
        known = self.waiting_events.get(conversation)
        return self.all(q.PENDING, conversation=conversation, n=limit) if known is None else known

    def await_events(self, homes: Iterable[int], events: Iterable[Row]) -> None:
        """What waits in conversations, as much of it as a turn looks at."""
        self.waiting_events = {home: [] for home in homes}
        for row in events:
            self.waiting_events[row["conversation"]].append(row)
            self._waits_in[row["id"]] = row["conversation"]

    def finish_event(self, id: int, state: int, place: int, facts: bytes, outcome: bytes, error: str) -> None:
        fresh = self._fresh.get(("inbox", id))
        if fresh is not None:
            fresh.update(state=state, place=place, facts=facts, outcome=outcome, error=error)
        else:
            self._change("finish event", ("inbox", id), id, state, place, facts, outcome, error)
        self._unknown_pending(id)

    def delay_event(self, id: int, attempts: int, not_before: float, error: str) -> None:
        fresh = self._fresh.get(("inbox", id))
        if fresh is not None:
            fresh.update(attempts=attempts, not_before=not_before, error=error)
        else:
            self._change("delay event", ("inbox", id), id, attempts, not_before, error)
        self._unknown_pending(id)

    def _unknown_pending(self, id: int) -> None:
        """Who looks again at the conversation of this event must see what has changed; others were not touched."""
        home = self._waits_in.get(id)
        if home is None:
            self.waiting_events = {}
        else:
            self.waiting_events.pop(home, None)
