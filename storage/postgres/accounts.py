"""Accounts over PostgreSQL: transactions of their own, one at a time, that no conversation waits for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TypeVar

import asyncpg
from sqlalchemy.util.concurrency import greenlet_spawn

from core.ports import StorageFull
from storage.accounts.sql import SqlAccountRows
from storage.accounts.store import AccountsOfStore
from storage.accounts.tables import AccountRows
from storage.postgres.asking import Asking
from storage.postgres.links import DRIVER, Links, is_away

T = TypeVar("T")
LOCK = 0x66726F6E74616363  # the advisory lock of who writes: the next row of the audit follows the last one


class PostgresAccounts:
    """The accounts of the store. Their transactions take connections of the readers: those of messages stay free."""

    _readers: Links

    @cached_property
    def accounts(self) -> AccountsOfStore:
        return AccountsOfStore(self._look_at_accounts, self._write_accounts)

    async def _look_at_accounts(self, work: Callable[[AccountRows], T]) -> T:
        return await self._on_accounts("SELECT", work)

    async def _write_accounts(self, work: Callable[[AccountRows], T]) -> T:
        return await self._on_accounts(f"SELECT pg_advisory_xact_lock({LOCK})", work)

    async def _on_accounts(self, first: str, work: Callable[[AccountRows], T]) -> T:
        """One transaction that begins with a statement. Raises `StorageFull` when the database is away."""
        try:
            async with self._readers.one() as link, link.transaction():
                await link.execute(first)
                return await greenlet_spawn(lambda: work(SqlAccountRows(Asking(link))))
        except (asyncpg.PostgresError, *DRIVER, OSError, TimeoutError) as error:
            if is_away(error):
                raise StorageFull(f"{type(error).__name__}: {error}") from error
            raise
