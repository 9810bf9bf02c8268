"""Run by Alembic for every command: connects to the URL the caller gave and applies revisions in one transaction."""

from __future__ import annotations

import asyncio

import asyncpg
from alembic import context
from sqlalchemy import Connection, create_engine, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from storage.tables import metadata

_LOCK = (
    0x66726F6E746C696E  # of whoever migrates, until the end of the transaction: others wait, then find nothing to do
)
url: str = context.config.attributes["url"]


def apply(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        context.run_migrations()


async def apply_on_postgres() -> None:
    async def connect() -> asyncpg.Connection:
        # Without named statements, so that a pool may stand between.
        return await asyncpg.connect(url, timeout=5.0, statement_cache_size=0)

    engine = create_async_engine(
        "postgresql+asyncpg://",
        poolclass=pool.NullPool,
        async_creator=connect,
        connect_args={"prepared_statement_name_func": str},
    )
    async with engine.connect() as connection:
        await connection.run_sync(apply)
    await engine.dispose()


if url.startswith("sqlite:"):
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        apply(connection)
    engine.dispose()
else:
    asyncio.run(apply_on_postgres())
