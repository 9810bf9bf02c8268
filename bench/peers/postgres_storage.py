"""aiogram's conversations in PostgreSQL, as one would write it by hand: a row for each key, every change committed at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import asyncpg
import orjson
from aiogram.fsm.state import State
from aiogram.fsm.storage.base import BaseStorage, StateType, StorageKey

from bench.peers.pool import pool

TABLE = "CREATE TABLE IF NOT EXISTS fsm (key text PRIMARY KEY, state text, data text NOT NULL DEFAULT '{}')"
SET_STATE = "INSERT INTO fsm (key, state) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET state = excluded.state"
SET_DATA = "INSERT INTO fsm (key, data) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET data = excluded.data"


class PostgresStorage(BaseStorage):
    """`url` is that of a database; tables are made with the first question."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.pool: asyncpg.Pool | None = None

    async def _opened(self) -> asyncpg.Pool:
        if self.pool is None:
            self.pool = await pool(self.url)
            await self.pool.execute(TABLE)
        return self.pool

    async def set_state(self, key: StorageKey, state: StateType = None) -> None:
        """Committed when it returns."""
        name = state.state if isinstance(state, State) else state
        await (await self._opened()).execute(SET_STATE, _name(key), name)

    async def get_state(self, key: StorageKey) -> str | None:
        found = await (await self._opened()).fetchval("SELECT state FROM fsm WHERE key = $1", _name(key))
        return None if found is None else str(found)

    async def set_data(self, key: StorageKey, data: Mapping[str, Any]) -> None:
        """Committed when it returns."""
        await (await self._opened()).execute(SET_DATA, _name(key), orjson.dumps(dict(data)).decode())

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        found = await (await self._opened()).fetchval("SELECT data FROM fsm WHERE key = $1", _name(key))
        return dict(orjson.loads(found)) if found else {}

    async def close(self) -> None:
        if self.pool is not None:
            await self.pool.close()


def _name(key: StorageKey) -> str:
    return f"{key.bot_id}:{key.chat_id}:{key.user_id}"
