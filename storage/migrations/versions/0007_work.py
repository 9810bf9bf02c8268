"""Sessions as lists see them, and the feed of what changed for people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.migrations.columns import blob, identity, number, text, time

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _sessions()
    _feed()


def _sessions() -> None:
    op.create_table(
        "sessions",
        *(number(name) for name in ("conversation", "number", "current", "client")),
        *(text(name) for name in ("channel", "status", "owner", "line", "operator")),
        *(number(name) for name in ("epoch", "priority")),
        *(time(name) for name in ("opened_at", "queued_at", "assigned_at", "first_reply_at")),
        *(time(name) for name in ("moved_at", "closed_at", "due")),
        text("category"),
        number("rating"),
        blob("state"),
        sa.PrimaryKeyConstraint("conversation", "number", name=op.f("pk_sessions")),
        sqlite_with_rowid=False,
    )
    for name, columns, where in (
        ("ix_sessions_work", ["line", "status", "due"], "current = 1"),
        ("ix_sessions_operator", ["operator", "status"], "current = 1 AND operator <> ''"),
        ("ix_sessions_owner", ["owner", "moved_at"], "current = 1"),
    ):
        op.create_index(name, "sessions", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
    op.create_index("ix_sessions_client", "sessions", ["client"])
    op.create_index("ix_sessions_opened_at", "sessions", ["opened_at"])


def _feed() -> None:
    op.create_table(
        "feed",
        identity(),
        number("seq"),
        time("at"),
        text("kind"),
        *(number(name) for name in ("conversation", "client")),
        *(text(name) for name in ("channel", "line", "operator", "person")),
        blob("data"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed")),
    )
    new = sa.text("seq = 0")
    op.create_index("ix_feed_new", "feed", ["id"], sqlite_where=new, postgresql_where=new)
    op.create_index("ix_feed_seq", "feed", ["seq"])


def downgrade() -> None:
    op.drop_table("feed")
    op.drop_table("sessions")
