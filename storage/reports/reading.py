"""The event log as reports read it: which sessions began when, and all facts of theirs, in slices that hold nobody up."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from operator import itemgetter
from typing import NamedTuple

from sqlalchemy import bindparam, literal_column, select

from storage.asked import Asked
from storage.codec import decode_dict
from storage.tables import messages, records

SLICE = 1_000  # sessions that are read at a time: a few hundredths of a second

_o = records.alias("o")
_r = records.alias("r")
_opened = _o.c.kind == literal_column("'session_opened'")
_in_slice = (_o.c.at >= bindparam("since"), _o.c.at < bindparam("until"))
_of_session = _r.c.session > literal_column("0")

BEGUN = select(_o.c.at).where(_opened, *_in_slice).order_by(_o.c.at)
FACTS = (
    select(_r.c.conversation, _r.c.session, _r.c.at, _r.c.kind, _r.c.data)
    .select_from(_o.join(_r, (_r.c.conversation == _o.c.conversation) & (_r.c.session == _o.c.session) & _of_session))
    .where(_opened, *_in_slice)
    .order_by(_r.c.conversation, _r.c.session, _r.c.id)
)
_theirs = select(_o.c.conversation).where(_opened, *_in_slice)
# Where the next session of the same conversation began ends what was said in this one.
OPENINGS = (
    select(_r.c.conversation, _r.c.session, _r.c.data)
    .where(_r.c.kind == literal_column("'session_opened'"), _of_session, _r.c.conversation.in_(_theirs))
    .order_by(_r.c.conversation, _r.c.session)
)
SAID = select(messages.c.conversation, messages.c.seq, messages.c.author).where(messages.c.conversation.in_(_theirs))


class Told(NamedTuple):
    """A fact as it is stored."""

    conversation: int
    session: int
    at: float
    kind: str
    data: bytes


def slices(reads: Asked, since: float, until: float) -> list[tuple[float, float]]:
    """The time from `since` to `until` in parts in which about `SLICE` sessions began each."""
    begun = [row[0] for row in reads.run(BEGUN, since=since, until=until)]
    cuts = sorted({since, *begun[SLICE::SLICE], until})
    return [(start, end) for start, end in pairwise(cuts) if start < end]


def read_facts(reads: Asked, since: float, until: float) -> list[Told]:
    """All facts of the sessions that began in this time, session by session in the order of the log."""
    return [Told(*row) for row in reads.run(FACTS, since=since, until=until)]


def by_session(told: Sequence[Told]) -> Iterator[tuple[int, int, list[Told]]]:
    """The facts of each session."""
    for (conversation, session), facts in groupby(told, key=itemgetter(0, 1)):
        yield conversation, session, list(facts)


def count_messages(reads: Asked, since: float, until: float) -> dict[tuple[int, int], dict[str, int]]:
    """How much was said in each session of the conversations in which one began in this time: (conversation, session) → author
    → messages."""
    begins: dict[int, tuple[list[int], list[int]]] = {}  # conversation → places before its sessions, their numbers
    for home, session, data in reads.run(OPENINGS, since=since, until=until):
        places, numbers = begins.setdefault(home, ([], []))
        places.append(int(decode_dict.decode(data)["seq"]))
        numbers.append(session)
    found: dict[tuple[int, int], dict[str, int]] = {}
    for home, seq, author in reads.run(SAID, since=since, until=until):
        places, numbers = begins[home]
        which = bisect_left(places, seq)
        if which:
            counts = found.setdefault((home, numbers[which - 1]), {})
            counts[author] = counts.get(author, 0) + 1
    return found
