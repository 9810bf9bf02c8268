"""Presence of people and what routing decided."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.migrations.columns import blob, identity, number, text, time

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "presence",
        number("user_id"),
        text("state"),
        time("since"),
        time("seen_at"),
        number("away"),
        number("capacity"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_presence")),
    )
    _assignments()
    op.create_table(
        "routings",
        identity(),
        time("at"),
        text("key"),
        *(number(name) for name in ("conversation", "session", "epoch")),
        *(text(name) for name in ("line", "strategy", "operator", "reason", "outcome")),
        blob("skipped"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_routings")),
    )
    op.create_index("ix_routings_conversation", "routings", ["conversation", "id"])
    op.create_index("ix_routings_key", "routings", ["key"])
    op.create_table(
        "waits",
        number("conversation"),
        number("epoch"),
        text("cause"),
        time("at"),
        sa.PrimaryKeyConstraint("conversation", name=op.f("pk_waits")),
    )


def _assignments() -> None:
    op.create_table(
        "assignments",
        identity(),
        time("at"),
        *(text(name) for name in ("what", "why", "line", "operator")),
        *(number(name) for name in ("conversation", "session", "epoch")),
        time("waited"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignments")),
    )
    got = sa.text("what = 'got'")
    op.create_index("ix_assignments_conversation", "assignments", ["conversation", "at"])
    op.create_index("ix_assignments_operator", "assignments", ["operator", "what", "at"])
    op.create_index("ix_assignments_line", "assignments", ["line", "at"], sqlite_where=got, postgresql_where=got)


def downgrade() -> None:
    for table in ("waits", "routings", "assignments", "presence"):
        op.drop_table(table)
