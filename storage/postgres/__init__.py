"""The store for many processes: PostgreSQL over asyncpg, the same rules, groups of units in one transaction."""

from storage.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
