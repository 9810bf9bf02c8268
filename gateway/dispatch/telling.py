"""What waiting clients are told: their place, and the range that was measured; seldom, and only what has changed."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from core.conversation import Session
from core.events import TimerFired
from gateway.dispatch.view import View
from gateway.floor import Floor
from handoff.hours import worked
from handoff.lines import Line
from handoff.queueing import LATEST, is_due, is_news, news, standing
from handoff.routing import Routed
from storage.asked import Asked
from storage.ledger import Ledger
from storage.routing.reading import read_waits
from storage.rows import Row

HISTORY_SECONDS = 7 * 86_400.0  # waits of longer ago say nothing about today


class Teller:
    """Sees who shall hear something; each telling is an event of the conversation."""

    def __init__(self, floor: Floor, now: Callable[[], datetime]) -> None:
        self._floor, self._now = floor, now

    async def tell(self, view: View, waiting: Sequence[Routed]) -> int:
        """How many clients hear something. Nothing is told where the line is closed: nobody's turn comes there."""
        now = view.house.now
        due = [(it, session) for it in waiting if (session := self._due(view, it, now)) is not None]
        if not due:
            return 0
        waits = await self.waits({it.session.line for it, _ in due})
        events: list[tuple[int, TimerFired]] = []
        for it, session in due:
            told = standing(it.place, waits[it.session.line], now - session.queued_at)
            if is_news(session, told):
                events.append((it.session.conversation, news(session, told)))
        await self._push(events)
        return len(events)

    def _due(self, view: View, it: Routed, now: float) -> Session | None:
        if it.cause == "outside_hours":
            return None
        session = view.session(it.session.conversation)
        return session if is_due(session, now) else None

    async def waits(self, lines: Iterable[str]) -> dict[str, list[float]]:
        """How long the last clients of each line waited, in seconds of its working time. Raises `StorageFull`."""
        now, names = self._now().timestamp(), sorted(lines)
        house = self._floor.house()

        def question(reads: Asked) -> dict[str, list[Row]]:
            return {line: read_waits(reads, line, now - HISTORY_SECONDS, LATEST) for line in names}

        found = await self._floor.units.ask(question)
        return {line: [_worked(house.lines[line], row) for row in rows] for line, rows in found.items()}

    async def _push(self, events: Sequence[tuple[int, TimerFired]]) -> None:
        if not events:
            return

        def write(ledger: Ledger) -> None:
            for conversation, event in events:
                ledger.put_event(conversation, event, f"position:{secrets.token_hex(12)}")

        await self._floor.units.write(write)
        self._floor.wake()


def _worked(line: Line, row: Row) -> float:
    """A wait over night is not one of fifteen hours."""
    if line.hours.always:
        return float(row["waited"])
    begun, taken = (datetime.fromtimestamp(at, UTC) for at in (row["at"] - row["waited"], row["at"]))
    return worked(begun, taken, line.hours) * 60
