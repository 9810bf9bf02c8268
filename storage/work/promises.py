"""Hours and promises that were edited: what deadlines were calculated with, and an event for each session that it concerns."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import BindParameter, Select, bindparam, insert, literal_column, select, update

from core.access import Sight
from core.conversation import Session
from core.events import TimerFired
from storage.asked import Asked
from storage.ledger import Ledger
from storage.rows import Row
from storage.tables import meta
from storage.work.schema import sessions
from storage.work.sessions import SEEN, sight_values
from storage.work.units import Units, asked

NAME = "rules_of_lines"  # in `meta`
EDITED = "line.sla.edited"  # the timer of `handoff.sla_alarms`
UNIT = 100  # sessions of one unit of writing
RISKS = 2000  # rows that are looked at, the nearest deadlines first

_name: BindParameter[str] = bindparam("name")
_known = select(meta.c.value).where(meta.c.name == _name)
KNOWN = _known
OWN = _known.with_for_update()
ADD = insert(meta).values(name=_name, value=bindparam("value"))
CHANGE = update(meta).where(meta.c.name == bindparam("the_name")).values(value=bindparam("value"))
_current = sessions.c.current == literal_column("1")
_with_people = sessions.c.owner.in_([literal_column("'queue'"), literal_column("'operator'")])
OPEN = select(sessions.c.conversation, sessions.c.line).where(_current, _with_people).order_by(sessions.c.conversation)
DUE: Select[Any] = (
    select(sessions)
    .where(_current, _with_people, sessions.c.due > literal_column("0"), SEEN)
    .order_by(sessions.c.due, sessions.c.conversation)
    .limit(bindparam("limit"))
    .offset(literal_column("0"))
)

NUMBERED: Select[Any] = select(sessions).where(
    sessions.c.conversation == bindparam("conversation"), sessions.c.number == bindparam("number"), SEEN
)


class Known(msgspec.Struct):
    """What deadlines are calculated with: the mark of each line's rules. `turn` counts the edits."""

    turn: int = 0
    lines: dict[str, str] = {}


_read = msgspec.json.Decoder(Known).decode


def _decode(value: Any) -> Known:
    return _read(value) if value else Known()


async def recalculate(units: Units, rules: Mapping[str, str]) -> int:
    """Let every session with people whose line has other rules than before calculate its deadlines anew; how many.

    Idempotent, also for several processes: all push the same events under the same keys, and the rules are written down when
    all are pushed. Raises `StorageFull`.
    """
    known = _decode(await units.ask(lambda reads: reads.value(KNOWN, name=NAME)))
    if known.lines == dict(rules):
        return 0
    edited = {line for line in {*rules, *known.lines} if rules.get(line) != known.lines.get(line)}
    key = f"sla:{known.turn + 1}:{_mark(rules)}"
    found = await units.ask(lambda reads: reads.all(OPEN))
    # A line that is gone is answered for by that of its channel: all its sessions are looked at.
    homes = [row["conversation"] for row in found if row["line"] in edited]
    for place in range(0, len(homes), UNIT):
        part = homes[place : place + UNIT]
        await units.write(lambda ledger, part=part: push(ledger, part, rules, key))  # type: ignore[misc]
    await units.write(lambda ledger: _write_down(ledger, known, dict(rules)))
    return len(homes)


def push(ledger: Ledger, homes: list[int], rules: Mapping[str, str], key: str) -> None:
    """The event that makes sessions look at their clocks, once per key."""
    for home in homes:
        ledger.put_event(home, TimerFired(EDITED, {"rules": dict(rules)}), key)


def _write_down(ledger: Ledger, known: Known, rules: dict[str, str]) -> None:
    """Unless another process was faster."""
    reads = asked(ledger)
    said = reads.value(OWN, name=NAME)
    if _decode(said).turn > known.turn:
        return
    value = msgspec.json.encode(Known(known.turn + 1, rules)).decode()
    if said is None:
        reads.run(ADD, name=NAME, value=value)
    else:
        reads.run(CHANGE, the_name=NAME, value=value)


def _mark(rules: Mapping[str, str]) -> str:
    return sha256(repr(sorted(rules.items())).encode()).hexdigest()[:12]


def read_due(reads: Asked, sight: Sight) -> list[tuple[Row, Session]]:
    """Sessions with people that have a deadline and may be seen, the nearest deadlines first, and what they are."""
    rows = reads.all(DUE, limit=RISKS, **sight_values(sight))
    return [(row, decode_session(row["state"])) for row in rows]


def numbered_session(reads: Asked, sight: Sight, conversation: int, number: int) -> Row | None:
    """A session of a conversation, of before too; None when there is none that may be seen."""
    return reads.one(NUMBERED, conversation=conversation, number=number, **sight_values(sight))


decode_session = msgspec.json.Decoder(Session).decode
