"""Both stores for what people do: a file of SQLite, and a PostgreSQL server of the session."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.acceptance.people.desk import Desk, open_desk
from tests.storage.conftest import common, database, migrated, server

__all__ = ["common", "database", "migrated", "server"]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """Of an empty database; empty for a file of the house's own."""
    if request.param == "sqlite":
        return ""
    database, server = request.getfixturevalue("database"), request.getfixturevalue("server")
    server.sql("TRUNCATE search_documents, search_homes", database)
    return str(server.url(database))


@pytest.fixture
async def desk(url: str) -> AsyncIterator[Desk]:
    """An operator with a client's session, on both stores."""
    async for made in open_desk(url):
        yield made
