"""The stores that have lists."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.postgres.store import PostgresStore
from storage.sqlite import SQLiteStore
from tests.postgres import Cluster
from tests.storage.conftest import OUTER
from tests.storage.making import FakeClock

Based = SQLiteStore | PostgresStore


@pytest.fixture(params=["sqlite", "postgresql"])
def closed(request: pytest.FixtureRequest, clock: FakeClock) -> Based:
    """One that is not open yet."""
    if request.param == "sqlite":
        path: Path = request.getfixturevalue("path")
        return SQLiteStore(path, clock, OUTER)
    database: str = request.getfixturevalue("database")
    server: Cluster = request.getfixturevalue("server")
    return PostgresStore(server.url(database), clock, OUTER, own_clock=True)


@pytest.fixture
async def based(closed: Based) -> AsyncIterator[Based]:
    await closed.open()
    yield closed
    await closed.close()
