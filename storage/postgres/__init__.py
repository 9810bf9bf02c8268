"""The store for many processes: PostgreSQL over asyncpg, the same rules, groups of units in one transaction."""
