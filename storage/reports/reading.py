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

SLICE = 2_000  # sessions that are read at a time: a few hundredths of a second

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
# Where the next session of the same conversation began ends what was said in this one. The sum keeps PostgreSQL from laying
# the index of all beginnings over that of one session.
OPENINGS = (
    select(_o.c.conversation, _o.c.session, _o.c.data, _r.c.data.label("following"))
    .select_from(
        _o.outerjoin(
            _r,
            (_r.c.conversation == _o.c.conversation)
            & (_r.c.session == _o.c.session + literal_column("1"))
            & _of_session
            & (_r.c.kind + literal_column("''") == literal_column("'session_opened'")),
        )
    )
    .where(_opened, *_in_slice)
    .order_by(_o.c.conversation, _o.c.session)
)
_theirs = select(_o.c.conversation).where(_opened, *_in_slice)
SAID = select(messages.c.conversation, messages.c.seq, messages.c.author).where(messages.c.conversation.in_(_theirs))


END = 2**62  # beyond the last place of any history


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
    """How much was said in each session that began in this time: (conversation, session) → author → messages."""
    begins: dict[
        int, list[tuple[int, int, int]]
    ] = {}  # conversation → place before each session, its last place, its number
    for home, session, data, following in reads.run(OPENINGS, since=since, until=until):
        begins.setdefault(home, []).append((_place(data), _place(following) if following else END, session))
    found: dict[tuple[int, int], dict[str, int]] = {}
    for home, seq, author in reads.run(SAID, since=since, until=until):
        which = bisect_left(begins[home], seq, key=itemgetter(0))
        _, last, session = begins[home][which - 1]
        if which and seq <= last:
            counts = found.setdefault((home, session), {})
            counts[author] = counts.get(author, 0) + 1
    return found


def _place(opening: bytes) -> int:
    return int(decode_dict.decode(opening)["seq"])
