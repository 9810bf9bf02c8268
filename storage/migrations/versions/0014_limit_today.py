"""A person's own limit may hold until a time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "presence", sa.Column("capacity_until", sa.Float(precision=53), nullable=False, server_default=sa.text("0"))
    )


def downgrade() -> None:
    op.drop_column("presence", "capacity_until")
