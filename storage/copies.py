"""Backups that cannot serve by mistake, and what makes a restored copy the installation: its past is not sent again."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import Connection, create_engine, delete, extract, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from core.events import DeliveryFailed
from storage.accounts.schema import logins, requests
from storage.lockfile import FileLock
from storage.migrate import migrate_file, migrate_postgres
from storage.postgres.address import parse_address
from storage.rows import UNKNOWN, WAITING, Row
from storage.seal import HOME_NOW, OWN, SEALED, seal
from storage.shape import event_row
from storage.tables import counters, inbox, leases, messages, meta, outbox, tickets, timers

REASON = "the database was restored from a copy"
TICKET_GAP = 1000  # numbers that the original may have given away since the copy was made


class StillServed(Exception):
    """Processes serve the database that should be restored."""


class NoBackup(Exception):
    """The copy could not be made, or is not whole: the text says why."""


@dataclass(frozen=True)
class Restored:
    """What a restore did: rows that will not be sent, the mark that was there, the next ticket's number."""

    unsent: int
    sealed: str
    tickets_from: int


# --- backup ----------------------------------------------------------------------------------------------------------


def back_up(path: Path, to: Path, now: str) -> int:
    """A consistent copy of an SQLite file, made while a gateway writes to it; its size in bytes.

    The copy is checked, sealed and appears under its name only when it is whole. Raises `NoBackup`.
    """
    if not path.is_file():
        raise NoBackup(f"there is no file {path}")
    if to.exists():
        raise NoBackup(f"{to} exists")
    part = to.with_name(f"{to.name}.part")
    part.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA wal_autocheckpoint=0")
            connection.execute("VACUUM INTO ?", (str(part),))
        _seal_whole(part, now)
    except sqlite3.Error as error:
        part.unlink(missing_ok=True)
        raise NoBackup(str(error)) from error
    part.rename(to)
    return to.stat().st_size


def _seal_whole(part: Path, now: str) -> None:
    with closing(sqlite3.connect(part, isolation_level=None)) as copy:
        copy.execute("PRAGMA synchronous=FULL")
        copy.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (SEALED, seal("backup", now)))
        said = copy.execute("PRAGMA integrity_check").fetchone()[0]
    if said != "ok":
        part.unlink()
        raise NoBackup(f"the copy is not whole: {said}")


# --- restore ---------------------------------------------------------------------------------------------------------


async def restore(url: str, clock: Callable[[], float], keep: bool = False) -> Restored:
    """Make the database at `sqlite:///…` or `postgresql://…` the installation, in one transaction.

    What waits to be sent to clients may have been sent by the original since: it is settled as `unknown`, and so shown as
    not confirmed. New keys get another origin and new tickets later numbers, as the original may have used the next ones.
    With `keep` the original stopped before the copy was made: only the mark is removed.
    Raises `StoreBusy` or `StillServed` while it is served, OSError and SQLAlchemy's errors when it cannot be reached.
    """
    if url.startswith("sqlite:"):
        return _restore_file(Path(url.partition(":///")[2]), clock(), keep)
    await asyncio.to_thread(migrate_postgres, url)  # a backup may be older than the program
    dsn = parse_address(url).dsn
    engine = create_async_engine(
        "postgresql+asyncpg://",
        poolclass=NullPool,
        async_creator=lambda: asyncpg.connect(dsn, statement_cache_size=0),
        connect_args={"prepared_statement_name_func": str},  # a pool may stand between
    )
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(_restore, clock(), keep)
    finally:
        await engine.dispose()


def _restore_file(path: Path, now: float, keep: bool) -> Restored:
    lock = FileLock(path)
    lock.take()
    engine = create_engine(f"sqlite:///{path}")
    try:
        migrate_file(path)
        with engine.begin() as connection:
            return _restore(connection, now, keep)
    finally:
        engine.dispose()
        lock.free()


def _restore(connection: Connection, now: float, keep: bool) -> Restored:
    _require_idle(connection)
    sealed = connection.scalar(select(meta.c.value).where(meta.c.name == SEALED)) or ""
    connection.execute(delete(meta).where(meta.c.name.in_(OWN)))
    if keep:
        # Nobody serves: what the last process had leased need not wait for the end of its lease.
        connection.execute(update(outbox).where(outbox.c.state == WAITING).values(lease_owner="", lease_until=0.0))
        return Restored(0, sealed, 0)
    unsent = _fence(connection, now)
    _sign_out(connection)
    _set_meta(connection, "instance", secrets.token_hex(6))
    return Restored(unsent, sealed, _skip_tickets(connection))


def _require_idle(connection: Connection) -> None:
    """Nobody serves this very database. In a dump that was put elsewhere, the leases are those of the original."""
    if connection.dialect.name != "postgresql":
        return  # the lock of the file says so
    _, home, here = connection.exec_driver_sql(HOME_NOW).one()
    alive = leases.c.name.like("live:%") & (leases.c.until > extract("epoch", func.clock_timestamp()))
    if home in {None, here} and connection.scalar(select(leases.c.name).where(alive)):
        raise StillServed


def _sign_out(connection: Connection) -> None:
    """A device that was signed out, or a user who was deactivated, since the copy was made must not come back by it."""
    connection.execute(delete(logins))
    connection.execute(delete(requests))


def _set_meta(connection: Connection, name: str, value: str) -> None:
    connection.execute(delete(meta).where(meta.c.name == name))
    connection.execute(insert(meta).values(name=name, value=value))


_next_ticket = select(counters.c.next).where(counters.c.name == "ticket")


def _skip_tickets(connection: Connection) -> int:
    """Leave out the numbers that the original may have told clients since; the first one that is free."""
    first = int(connection.scalar(select(func.max(tickets.c.number))) or 0) + 1 + TICKET_GAP
    first = max(first, int(connection.scalar(_next_ticket) or 0) + TICKET_GAP)
    connection.execute(delete(counters).where(counters.c.name == "ticket"))
    connection.execute(insert(counters).values(name="ticket", next=first))
    return first


def _fence(connection: Connection, now: float) -> int:
    """Settle every message that waits; how many. Calls, outer tickets and files go on: their keys make repeats harmless."""
    waiting = (outbox.c.state == WAITING) & (outbox.c.lane == 1)
    found = connection.execute(
        select(outbox.c.id, outbox.c.conversation, outbox.c.key, outbox.c.seq).where(waiting).order_by(outbox.c.id)
    ).all()
    ids = select(outbox.c.id).where(waiting)
    connection.execute(
        update(timers).where(timers.c.due.is_(None), timers.c.after.in_(ids)).values(due=now + timers.c.seconds)
    )
    sends = select(outbox.c.conversation, outbox.c.seq).where(waiting, outbox.c.kind == "send")
    shown = tuple_(messages.c.conversation, messages.c.seq).in_(sends)
    connection.execute(update(messages).where(shown).values(state="failed", reason=REASON))
    connection.execute(update(outbox).where(waiting).values(state=UNKNOWN, settled_at=now, reason=REASON))
    if found:
        connection.execute(insert(inbox), [_failure(row, now) for row in found])
    return len(found)


def _failure(row: Any, now: float) -> Row:
    """The event that makes the unconfirmed delivery visible. The database numbers it."""
    event = DeliveryFailed(row.seq, "unknown", REASON)
    made = event_row(0, row.conversation, event, f"failed:{row.key}", now)
    del made["id"]
    return made
