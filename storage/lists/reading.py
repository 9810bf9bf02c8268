"""Pages of the lists of sessions, and how many there are in each view."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from core.access import Sight
from storage.asked import Asked
from storage.cards.card import fold
from storage.lists.statements import (
    LIVE,
    NEXT_CHANNEL,
    NEXT_LINE,
    OF_ALL,
    OF_CHANNEL,
    OF_LINE,
    OF_PERSON,
    Sort,
    Source,
    listing,
)
from storage.rows import Row
from storage.work.sessions import sight_values

View = Literal["mine", "queue", "assigned", "waiting", "held", "bot", "all"]
VIEWS: tuple[View, ...] = ("mine", "queue", "assigned", "waiting", "held", "bot", "all")
COUNTED: tuple[View, ...] = ("mine", "queue", "waiting", "held", "bot", "all")
_BY_STATUS = {"queued": "queue", "waiting": "waiting", "held": "held"}


@dataclass(frozen=True)
class Wanted:
    """A page of a list. `viewer` is whose list it is (`user:7`); `only` filters by columns, `q` by what a client is known as;
    `after` is place and conversation of the last row of the page before."""

    view: View
    viewer: str
    sort: Sort = "last"
    only: Mapping[str, str] = field(default_factory=dict)
    q: str = ""
    after: tuple[float, int] | None = None
    limit: int = 50


def page(reads: Asked, sight: Sight, wanted: Wanted) -> list[Row]:
    """`conversation`, `number`, `place` of at most `limit` + 1 rows, in order."""
    sort: Sort = "last" if wanted.view == "bot" else wanted.sort
    values = {**sight_values(sight), "viewer": wanted.viewer, "n": wanted.limit + 1}
    values |= {f"only_{name}": value for name, value in wanted.only.items()}
    if wanted.after is not None:
        values |= {"place": wanted.after[0], "conversation": wanted.after[1]}
    found: dict[int, Row] = {}
    for source, more in _sources(reads, sight, wanted):
        statement = listing(source, wanted.view, sort, frozenset(wanted.only), wanted.after is not None)
        for row in reads.all(statement, **(values | more)):
            found.setdefault(row["conversation"], row)
    rows = sorted(found.values(), key=lambda row: (row["place"], row["conversation"]), reverse=sort == "last")
    return rows[: wanted.limit + 1]


def _sources(reads: Asked, sight: Sight, wanted: Wanted) -> Iterator[tuple[Source, dict[str, Any]]]:
    if wanted.q:
        yield "found", {"like": like(wanted.q)}
    elif wanted.view == "all" and "operator" in wanted.only:
        yield "person", {}
    elif wanted.view == "all" and "category" in wanted.only:
        yield "category", {}
    elif wanted.view == "mine":
        yield "own", {}
    elif wanted.view == "bot":
        yield "live", {}
    else:
        only = wanted.only.get("line")
        for line in lines_of(reads, sight):
            if only is None or line == only:
                yield "line", {"the_line": line}
        if wanted.view == "all" and only is None:
            for channel in channels_of(reads, sight):
                yield "channel", {"the_channel": channel}
        if sight.user:
            yield "own", {}


def like(q: str) -> str:
    """The pattern of LIKE that finds a text anywhere; its own signs stand for themselves, `!` before them."""
    folded = fold(q)
    for sign in "!%_":
        folded = folded.replace(sign, "!" + sign)
    return f"%{folded}%"


def lines_of(reads: Asked, sight: Sight) -> Iterable[str]:
    """The lines that have sessions and may be seen; those that are gone from the configuration, too."""
    return _leaps(reads, NEXT_LINE) if sight.everything else sight.lines


def channels_of(reads: Asked, sight: Sight) -> Iterable[str]:
    return _leaps(reads, NEXT_CHANNEL) if sight.everything else sight.channels


def _leaps(reads: Asked, statement: Any) -> list[str]:
    found: list[str] = []
    last = ""
    while (name := reads.value(statement, after=last)) is not None:
        last = str(name)
        found.append(last)
    return found


def counts(reads: Asked, sight: Sight, viewer: str) -> dict[str, int]:
    """How many sessions each view of the working window has."""
    found: dict[str, int] = dict.fromkeys(COUNTED, 0)
    if sight.everything:
        rows = reads.all(OF_ALL)
    else:
        rows = [row for line in sight.lines for row in reads.all(OF_LINE, the_line=line)]
        found["all"] = sum(int(reads.value(OF_CHANNEL, the_channel=it)) for it in sight.channels)
    for row in rows:
        _count(found, row["status"], int(row["n"]))
    for row in reads.all(OF_PERSON, viewer=viewer):
        found["mine"] += 1
        if not sight.everything and row["line"] not in sight.lines:
            _count(found, row["status"], 1)
    found["bot"] = int(reads.value(LIVE, **sight_values(sight)))
    return found


def _count(found: dict[str, int], status: str, n: int) -> None:
    found["all"] += n
    if status in _BY_STATUS:
        found[_BY_STATUS[status]] += n
