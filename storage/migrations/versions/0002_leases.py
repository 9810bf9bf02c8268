"""Leases of roles and of outbox rows, numbers taken in blocks: what several processes need."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Rows of these tables change often: room in the page keeps the new version beside the old one and the indexes as they are.
_BUSY = ("conversations", "outbox", "messages", "timers")


def upgrade() -> None:
    # Defaults: a process of the version before writes rows without these columns.
    op.add_column("outbox", sa.Column("lease_owner", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column(
        "outbox", sa.Column("lease_until", sa.Float(precision=53), server_default=sa.text("0"), nullable=False)
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("until", sa.Float(precision=53), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("next", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )
    if op.get_bind().dialect.name == "postgresql":
        for table in _BUSY:
            op.execute(f"ALTER TABLE {table} SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05)")


def downgrade() -> None:
    op.drop_table("counters")
    op.drop_table("leases")
    op.drop_column("outbox", "lease_until")
    op.drop_column("outbox", "lease_owner")
