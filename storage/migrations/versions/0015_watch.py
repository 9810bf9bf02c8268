"""What processes write down of themselves: who runs, how channels fare, what came to the doors, what webhooks were sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.migrations.columns import identity, number, text, time

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "processes",
        *(text(name) for name in ("name", "roles", "version", "edition")),
        *(time(name) for name in ("started_at", "beat_at")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_processes")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "channel_states",
        *(text(name) for name in ("channel", "process", "in_trouble")),
        time("in_since"),
        text("out_trouble"),
        *(time(name) for name in ("out_since", "out_until", "heard_at", "sent_at")),
        sa.PrimaryKeyConstraint("channel", "process", name=op.f("pk_channel_states")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "arrivals",
        identity(),
        text("channel"),
        number("refused"),
        text("verdict"),
        *(number(name) for name in ("status", "times")),
        *(time(name) for name in ("at", "seconds", "slowest")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_arrivals")),
    )
    op.create_index("ix_arrivals_channel", "arrivals", ["channel", "refused", "id"])
    op.create_table(
        "hook_attempts",
        identity(),
        text("hook"),
        number("seq"),
        text("type"),
        *(number(name) for name in ("attempt", "status")),
        text("error"),
        *(time(name) for name in ("at", "seconds")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hook_attempts")),
    )
    op.create_index("ix_hook_attempts_hook", "hook_attempts", ["hook", "id"])


def downgrade() -> None:
    for table in ("hook_attempts", "arrivals", "channel_states", "processes"):
        op.drop_table(table)
