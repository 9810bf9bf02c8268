"""Pages of a list that changes while it is read: who does not move is met exactly once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest

from core.access import Sight
from core.conversation import Conversation, Session
from storage.lists.reading import Wanted, page
from storage.postgres.store import PostgresStore
from storage.sqlite import SQLiteStore
from storage.work.projecting import session_row
from storage.work.units import Units
from tests.postgres import Cluster
from tests.storage.conftest import common, database, migrated, path, server, template
from tests.storage.making import FakeClock

__all__ = ["common", "database", "migrated", "path", "server", "template"]

HOMES = range(1, 41)
SIGHTS = {"admin": Sight(everything=True), "operator": Sight(lines=("a", "b"), user=7, channels=("telegram",))}


@pytest.fixture(params=["sqlite", "postgresql"])
def made(request: pytest.FixtureRequest) -> SQLiteStore | PostgresStore:
    if request.param == "sqlite":
        return SQLiteStore(request.getfixturevalue("path"), FakeClock(), frozenset())
    server: Cluster = request.getfixturevalue("server")
    url = server.url(request.getfixturevalue("database"))
    return PostgresStore(url, FakeClock(), frozenset(), own_clock=True)


@pytest.fixture
async def units(made: SQLiteStore | PostgresStore) -> AsyncIterator[Units]:
    store: Any = made
    await store.open()
    yield Units(store)
    await store.close()


def row(home: int, chance: Random) -> dict[str, Any]:
    """A session in some state; half of them share their times with others."""
    status = chance.choice(["queued", "assigned", "waiting", "closed", "bot"])
    owner = {"queued": "queue", "closed": "bot", "bot": "bot"}.get(status, "operator")
    line = "" if status == "bot" else chance.choice("ab")
    session = Session(1, status, owner, 1, line, "user:7" if owner == "operator" else "")  # type: ignore[arg-type]
    conversation = Conversation(home, "telegram", "42", str(home), home)
    due = chance.choice([9e12, float(chance.randrange(20))])
    return session_row(conversation, session, float(chance.randrange(20)), said=True) | {"order_due": due}


async def put(units: Units, rows: list[dict[str, Any]]) -> None:
    def write(ledger: Any) -> None:
        for it in rows:
            ledger.rows.put_session(it)

    await units.write(write)


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("sort", ["last", "due"])
async def test_who_stays_is_met_once(units: Units, sort: Any, sight: str) -> None:
    for seed in range(12):
        chance = Random(seed)
        await put(units, [row(home, chance) for home in HOMES])
        moving = set(chance.sample(HOMES, 12))
        met: list[int] = []
        after: tuple[float, int] | None = None
        while True:
            wanted = Wanted("all", "user:7", sort, after=after, limit=chance.randrange(1, 9))
            found = await units.ask(lambda reads, it=wanted: page(reads, SIGHTS[sight], it))  # type: ignore[misc]
            shown = found[: wanted.limit]
            met += [it["conversation"] for it in shown]
            if len(found) <= wanted.limit:
                break
            after = (shown[-1]["place"], shown[-1]["conversation"])
            await put(units, [row(home, chance) for home in chance.sample(sorted(moving), 3)])
        staying = [home for home in met if home not in moving]
        assert sorted(staying) == sorted(set(HOMES) - moving)
