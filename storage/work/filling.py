"""Sessions of before: rows for conversations that were there when lists of sessions were not, or that an older program moved."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, bindparam, func, literal_column, or_, select

from core.events import TimerFired
from storage.asked import Asked
from storage.ledger import Ledger
from storage.tables import conversations
from storage.work.projecting import session_row
from storage.work.promises import EDITED
from storage.work.schema import sessions
from storage.work.units import Units

SPAN = 2_000  # ids of one look: a few milliseconds
UNIT = 50  # conversations of one unit of writing

LAST = select(func.max(conversations.c.id))
# The epochs differ where a program that knows no lists gave the session to somebody else.
LACKING = (
    select(conversations.c.id)
    .select_from(conversations)
    .outerjoin(
        sessions,
        and_(sessions.c.conversation == conversations.c.id, sessions.c.current == literal_column("1")),
    )
    .where(
        conversations.c.id > bindparam("after"),
        conversations.c.id <= bindparam("until"),
        or_(sessions.c.conversation.is_(None), sessions.c.epoch != conversations.c.epoch),
    )
    .order_by(conversations.c.id)
)


@dataclass
class Filling:
    """One pass over all conversations, a span of ids at a time. Several processes may do it at once."""

    units: Units
    after: int = 0
    last: int = -1
    written: int = 0

    async def step(self) -> bool:
        """Look at the next span and write what it lacks; False when the end is reached. Raises `StorageFull`."""
        if self.last < 0:
            self.last = await self.units.ask(lambda reads: int(reads.value(LAST) or 0))
        after, until = self.after, self.after + SPAN
        homes = await self.units.ask(lambda reads: _lacking(reads, after, until))
        for place in range(0, len(homes), UNIT):
            part = homes[place : place + UNIT]
            self.written += await self.units.write(lambda ledger, part=part: fill(ledger, part), part)  # type: ignore[misc]
        self.after = until
        return until < self.last


def _lacking(reads: Asked, after: int, until: int) -> list[int]:
    return reads.column(LACKING, after=after, until=until)


def fill(ledger: Ledger, homes: list[int]) -> int:
    """The present session of each conversation, as it is in this unit; how many had one."""
    written = 0
    for id in homes:
        home = ledger.rows.conversation(id)
        if home is not None and home.session.number:
            ledger.rows.put_session(session_row(home, home.session, home.session.last_at))
            if home.session.owner != "bot":  # promises count from the time when people got it
                ledger.put_event(id, TimerFired(EDITED), f"filled:{home.session.number}:{home.session.epoch}")
            written += 1
    return written
