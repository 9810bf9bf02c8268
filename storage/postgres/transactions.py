"""A transaction of ours on a connection: how it begins, and what becomes of it when something fails."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from asyncpg import exceptions as errors

# The driver's own transactions ask which isolation there is; ours say it.
BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"
BEGIN_POOLED = f"{BEGIN}; SET LOCAL idle_in_transaction_session_timeout = '8s'; SET LOCAL jit = off"


class Transaction:
    """A transaction of ours on a connection: begun here or by the commit before it, committed inside, rolled back when what
    is inside raises."""

    def __init__(self, link: Any, begin: str) -> None:
        self._link, self._begin = link, begin

    async def __aenter__(self) -> None:
        if not self._link.is_in_transaction():
            await self._link.execute(self._begin)

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None and not self._link.is_closed():
            if isinstance(error, asyncio.CancelledError | TimeoutError | OSError):
                self._link.terminate()
            else:
                with suppress(errors.PostgresError, OSError, TimeoutError):
                    await self._link.execute("ROLLBACK")
