"""Lists at a hundred thousand sessions: every view is answered by an index, and quickly. Times are printed, not asserted."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from core.access import Sight
from storage.asked import Asked
from storage.cards.reading import clients_page
from storage.compiled import statements
from storage.lists import talk
from storage.lists.details import details
from storage.lists.reading import VIEWS, Wanted, counts, page
from storage.lists.timeline import read_timeline
from storage.work.units import Units

ADMIN = Sight(everything=True)
OPERATOR = Sight(lines=("l1", "l2"), user=7, channels=("c1",))
SIGHTS = {"admin": ADMIN, "operator": OPERATOR}
ME = "user:7"
SORTS = ("last", "due")
ROUNDS = 15
# Nobody used that category, and operators do not see talks of the bot.
NOTHING = {"admin": {"all, of one category"}, "operator": {"all, of one category", "bot by last", "bot by due"}}


class Watched:
    """Whoever runs statements, with what was asked: SQL and values."""

    def __init__(self, reads: Asked, dialect: str) -> None:
        self._reads, self._statements = reads, statements(dialect)
        self.asked: dict[str, tuple[Any, ...]] = {}

    def __getattr__(self, name: str) -> Any:
        ask = getattr(self._reads, name)

        def asking(statement: Any, /, **values: Any) -> Any:
            compiled = self._statements[statement]
            self.asked[compiled.sql] = compiled.pick(values)
            return ask(statement, **values)

        return asking


def dialect_of(reads: Asked) -> str:
    return "postgresql" if "postgres" in type(reads).__module__ else "sqlite"


def plan(reads: Any, sql: str, values: tuple[Any, ...]) -> str:
    """How the engine answers."""
    if dialect_of(reads) == "sqlite":
        return "\n".join(row[3] for row in reads._execute(f"EXPLAIN QUERY PLAN {sql}", values))
    return "\n".join(row[0] for row in reads.fetch(f"EXPLAIN {sql}", *values))


# A table read from its beginning to its end, not by an index.
WHOLE = re.compile(
    r"SCAN (?:sessions|messages|conversations)(?! USING)|Seq Scan on (?:sessions|messages|conversations)\b"
)


async def whole_reads(units: Units, question: Callable[[Asked], object]) -> list[str]:
    """Plans of a question that read whole tables."""

    def look(reads: Asked) -> list[str]:
        watched = Watched(reads, dialect_of(reads))
        question(watched)
        assert watched.asked
        plans = {sql: plan(reads, sql, values) for sql, values in watched.asked.items()}
        return [f"{sql}\n{found}" for sql, found in plans.items() if WHOLE.search(found)]

    return await units.ask(look)


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("view", VIEWS)
async def test_every_view_is_answered_by_an_index(units: Units, view: Any, sight: str) -> None:
    for sort in SORTS:
        for after in (None, (50_000.0, 50_000)):
            wanted = Wanted(view, ME, sort, after=after)  # type: ignore[arg-type]
            assert await whole_reads(units, partial(page, sight=SIGHTS[sight], wanted=wanted)) == []


async def test_counts_and_rows_are_answered_by_an_index(units: Units) -> None:
    for sight in SIGHTS.values():
        assert await whole_reads(units, partial(counts, sight=sight, viewer=ME)) == []
    assert await whole_reads(units, lambda reads: details(reads, range(1, 51), 7)) == []
    assert await whole_reads(units, lambda reads: read_timeline(reads, ADMIN, 1, {}, 50)) == []


async def test_the_lists_hold_what_the_tables_hold(units: Units) -> None:
    found = await units.ask(lambda reads: counts(reads, ADMIN, ME))
    assert found == {"mine": 120, "queue": 2000, "waiting": 2000, "held": 1000, "bot": 1000, "all": 100_000}
    theirs = await units.ask(lambda reads: counts(reads, OPERATOR, ME))
    assert (theirs["queue"], theirs["mine"]) == (400, 120)
    rows = await units.ask(lambda reads: page(reads, OPERATOR, Wanted("queue", ME, "due", limit=200)))
    assert [row["place"] for row in rows] == sorted(row["place"] for row in rows)
    assert len(rows) == 201


@pytest.mark.parametrize("name", ["admin", "operator"])
async def test_how_long_it_takes(units: Units, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """p95 of each view with its rows, of the counts, and of opening the longest talk. Printed; each finds what is there."""
    sight = SIGHTS[name]

    def listed(view: Any, sort: Any, **more: Any) -> Callable[[Asked], object]:
        def ask(reads: Asked) -> object:
            rows = page(reads, sight, Wanted(view, ME, sort, **more))
            return details(reads, [row["conversation"] for row in rows[:50]], 7)

        return ask

    def opened(reads: Asked) -> object:
        found = talk.read_page(reads, 1, 0, 0, 50)
        return talk.read_state(reads, 1), details(reads, [1], 7), reads.all(talk.SESSIONS, conversation=1), found

    questions: dict[str, Callable[[Asked], object]] = {
        **{f"{view} by {sort}": listed(view, sort) for view in VIEWS for sort in SORTS},
        "all, found by a name": listed("all", "last", q="client 777"),
        "all, of one category": listed("all", "last", only={"category": "none"}),
        "counts": lambda reads: counts(reads, sight, ME),
        "clients": lambda reads: clients_page(reads, sight, {}, 0, 50),
        "clients by a name": lambda reads: clients_page(reads, sight, {"q": "client 777"}, 0, 50),
        "a talk of 10,000 messages": opened,
        "its middle": lambda reads: talk.read_page(reads, 1, 5000, 0, 50),
    }
    said = []
    for title, question in questions.items():
        took = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            assert bool(await units.ask(question)) is (title not in NOTHING[name]), title
            took.append(time.perf_counter() - began)
        said.append(
            f"{name:9} {title:28} p50 {sorted(took)[ROUNDS // 2] * 1e3:7.1f} ms   p95 {sorted(took)[-1] * 1e3:7.1f} ms"
        )
    with capsys.disabled():
        print("\n" + "\n".join(said))
