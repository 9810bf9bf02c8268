"""A living installation from an SQLite file to PostgreSQL: copies what differs, proves it is the same, hands over.

Both sides are read in the order of their keys, side by side. What the target has and the source has not, or has otherwise,
is deleted; what it lacks is copied. So a move that was cut off goes on where it was, and one that began beside a running
gateway is finished in a short stop: only what has changed since is written.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from core.ports import StorageFull
from storage.lockfile import FileLock, StoreBusy
from storage.migrate import HEAD, current_revision
from storage.moving.refused import MoveRefused
from storage.moving.sides import Source, seal_file, shown
from storage.moving.target import Target
from storage.seal import StoreSealed
from storage.sqlite import SQLiteStore
from storage.tables import metadata

__all__ = ["MoveRefused", "Moved", "TableMoved", "move"]

Told = Callable[[str, int, int], None]  # table, rows done, rows in all


@dataclass(frozen=True)
class TableMoved:
    """One table: its rows, and how many of them were written and how many stale ones removed this time."""

    name: str
    rows: int
    written: int
    removed: int


@dataclass(frozen=True)
class Moved:
    """The outcome. `complete` is False when a gateway served the source meanwhile: stop it and move again."""

    tables: tuple[TableMoved, ...]
    complete: bool


async def move(path: Path, url: str, told: Told = lambda table, done, total: None) -> Moved:
    """Copy the installation in the SQLite file to the PostgreSQL database, as far as may be done now.

    While a gateway serves the file, what it has committed so far is copied and the target stays sealed. With the gateway
    stopped the rest is copied, ids go on where they were, and the file is sealed, so that nothing is ever sent twice.
    Raises `MoveRefused`.
    """
    await _settle(path)
    with _owned(path) as alone:
        _require_shape(path, alone)
        async with _connected(url) as target:
            with closing(Source(path)) as source:
                await target.claim(source.instance, again=source.moved)
                tables = [await _move_table(source, target, name, told) for name in metadata.tables]
                for moved in tables:
                    await _verify(source, target, moved)
            await target.require_lock()
            if alone:
                await target.set_sequences()
                seal_file(path, shown(url))
                await target.unseal()
    return Moved(tuple(tables), alone)


async def _settle(path: Path) -> None:
    """Unless it is served: a start and a clean stop, so that what a killed gateway had sent is written down as sent."""
    _require_file(path)
    store = SQLiteStore(path, time.time)
    try:
        await store.open()
        await store.close()
    except StoreBusy:
        return
    except StoreSealed as error:
        if error.why != "moved":  # a move that was cut off at its very end goes on
            raise MoveRefused("sealed", f"{error.why} {error.detail}".rstrip()) from None
    except (StorageFull, sqlite3.Error) as error:
        raise MoveRefused("source", str(error)) from None


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise MoveRefused("no_file", str(path))


@contextmanager
def _owned(path: Path) -> Iterator[bool]:
    """Whether the file is ours for the time: nobody serves it, and nobody can begin to."""
    lock = FileLock(path)
    try:
        lock.take()
    except StoreBusy:
        yield False
        return
    try:
        yield True
    finally:
        lock.free()


def _require_shape(path: Path, alone: bool) -> None:
    try:
        if not alone and current_revision(path) != HEAD:
            raise MoveRefused("other_version", str(path))
    except sqlite3.Error as error:
        raise MoveRefused("source", str(error)) from None


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Target]:
    """The target with its tables made. What PostgreSQL or the source say against it is a `MoveRefused`."""
    target = Target(url)
    try:
        await target.open()
        yield target
    except sqlite3.Error as error:
        raise MoveRefused("source", str(error)) from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise MoveRefused("target", str(error) or type(error).__name__) from error
    finally:
        await target.close()


async def _move_table(source: Source, target: Target, name: str, told: Told) -> TableMoved:
    table = metadata.tables[name]
    total = source.count(table)
    told(name, 0, total)
    written, removed = await target.bring(table, lambda: source.rows(table), lambda done: told(name, done, total))
    told(name, total, total)
    return TableMoved(name, total, written, removed)


async def _verify(source: Source, target: Target, moved: TableMoved) -> None:
    """The count and the checksum of both sides, read anew; where nothing was written, both have just been compared."""
    table = metadata.tables[moved.name]
    if (moved.written or moved.removed) and source.checksum(table) != await target.checksum(table):
        raise MoveRefused("differs", moved.name)
