"""Two stores on one database, as two processes would have them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import pytest

from storage.postgres.store import PostgresStore
from tests.postgres import Cluster
from tests.storage.conftest import OUTER
from tests.storage.making import FakeClock

Make = Callable[..., PostgresStore]


@pytest.fixture
def new(server: Cluster, database: str, clock: FakeClock) -> Make:
    """Makes stores that share the clock of the test; `own_clock=False` makes one that takes the database's."""

    def make(url: str = "", **more: Any) -> PostgresStore:
        values: dict[str, Any] = {"clock": clock, "outer_desks": OUTER, "own_clock": True}
        return PostgresStore(url or server.url(database), **(values | more))

    return make


@pytest.fixture
async def one(new: Make) -> AsyncIterator[PostgresStore]:
    made = new()
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def two(new: Make, one: PostgresStore) -> AsyncIterator[PostgresStore]:
    made = new()
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def link(server: Cluster, database: str) -> AsyncIterator[Any]:
    """A connection of somebody else."""
    made = await asyncpg.connect(server.url(database))
    yield made
    await made.close()
