"""Outgoing webhooks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.migrations.columns import number, text, time

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hooks",
        text("name"),
        number("cursor"),
        time("failing_since"),
        number("attempts"),
        time("next_at"),
        text("error"),
        text("stopped"),
        time("changed_at"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_hooks")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("hooks")
