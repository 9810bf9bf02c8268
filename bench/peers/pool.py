"""Connections to PostgreSQL, as every contender that writes there keeps them; without aiogram, whose memory would count."""

from __future__ import annotations

from typing import Any

import asyncpg

POOL = 16  # connections


def pool(url: str) -> asyncpg.pool.Pool[asyncpg.Record]:
    """To be awaited or entered; as many connections as are kept from the first moment."""
    return asyncpg.create_pool(url, min_size=POOL, max_size=POOL, reset=_keep)


async def _keep(connection: Any) -> None:
    """What the pool does when a connection comes back: nothing, for nobody changes its settings (a round trip less)."""
