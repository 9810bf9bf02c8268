"""Every store, each test with its own."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from storage.memory import MemoryStore
from storage.migrate import migrate_file, migrate_postgres
from storage.postgres.store import PostgresStore
from storage.sqlite import SQLiteStore
from storage.tables import metadata
from tests.postgres import Bouncer, Cluster, bouncer, cluster
from tests.storage.making import AnyStore, FakeClock

OUTER = frozenset({"outer"})


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file: Alembic runs once, not in every test."""
    path = tmp_path_factory.mktemp("storage") / "template.db"
    migrate_file(path)
    return path


@pytest.fixture
def path(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(template, tmp_path / "store.db"))


@pytest.fixture(scope="session")
def server() -> Iterator[Cluster]:
    """A PostgreSQL server for all tests of a session."""
    with cluster() as made:
        yield made


@pytest.fixture(scope="session")
def between(server: Cluster) -> Iterator[Bouncer]:
    """A PgBouncer in transaction mode before it."""
    with bouncer(server) as made:
        yield made


@pytest.fixture(scope="session")
def migrated(server: Cluster) -> str:
    """A database with tables: Alembic runs once."""
    name = server.create(name="migrated")
    migrate_postgres(server.url(name))
    return name


@pytest.fixture(scope="session")
def common(server: Cluster, migrated: str) -> str:
    """The database that tests share, one after another."""
    return server.create(migrated)


EMPTY = f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY"


@pytest.fixture
def database(server: Cluster, common: str) -> str:
    """The common database with nothing in it."""
    server.sql(EMPTY, common)
    return common


@pytest.fixture(params=["memory", "sqlite", "postgresql", "pgbouncer"])
def make(request: pytest.FixtureRequest, clock: FakeClock) -> Callable[[], AnyStore]:
    if request.param == "memory":
        return lambda: MemoryStore(clock, OUTER)
    if request.param == "sqlite":
        path: Path = request.getfixturevalue("path")
        return lambda: SQLiteStore(path, clock, OUTER)
    database: str = request.getfixturevalue("database")
    stands: Cluster | Bouncer = request.getfixturevalue("server" if request.param == "postgresql" else "between")
    return lambda: PostgresStore(stands.url(database), clock, OUTER, own_clock=True)


@pytest.fixture
async def store(make: Callable[[], AnyStore]) -> AsyncIterator[AnyStore]:
    made = make()
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def sqlite(clock: FakeClock, path: Path) -> AsyncIterator[SQLiteStore]:
    made = SQLiteStore(path, clock, OUTER)
    await made.open()
    yield made
    await made.close()
