"""Both stores, each test with its own."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from storage.memory import MemoryStore
from storage.migrate import migrate_file
from storage.sqlite import SQLiteStore
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


@pytest.fixture(params=["memory", "sqlite"])
def make(request: pytest.FixtureRequest, clock: FakeClock, path: Path) -> Callable[[], AnyStore]:
    if request.param == "memory":
        return lambda: MemoryStore(clock, OUTER)
    return lambda: SQLiteStore(path, clock, OUTER)


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
