"""Run by Alembic for every command: connects to the URL the caller gave and applies revisions in one transaction."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, pool

from storage.tables import metadata

engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
