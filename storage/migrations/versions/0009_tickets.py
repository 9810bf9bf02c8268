"""Tickets in full: category, assignee, deadline, rating, joined ones, the sessions they belong to, private notes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.migrations.columns import NUMBER, identity, number, text, time

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TEXTS = ("category", "assignee", "line", "author", "words")
NUMBERS = (("waiting", "0"), ("rating", "0"), ("version", "1"), ("master", "0"))
TIMES = ("deadline", "solved_at")


def upgrade() -> None:
    for name in TEXTS:
        op.add_column("tickets", sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("''")))
    for name, default in NUMBERS:
        op.add_column("tickets", sa.Column(name, NUMBER, nullable=False, server_default=sa.text(default)))
    for name in TIMES:
        op.add_column("tickets", sa.Column(name, sa.Float(precision=53), nullable=False, server_default=sa.text("0")))
    op.create_index("ix_tickets_open", "tickets", ["done", "deadline", "number"])
    op.create_index("ix_tickets_updated_at", "tickets", ["updated_at", "number"])
    joined = sa.text("master > 0")
    op.create_index("ix_tickets_master", "tickets", ["master"], sqlite_where=joined, postgresql_where=joined)
    _tables()


def _tables() -> None:
    op.create_table(
        "ticket_sessions",
        *(number(name) for name in ("ticket", "conversation", "session")),
        time("at"),
        text("by"),
        sa.PrimaryKeyConstraint("ticket", "conversation", "session", name=op.f("pk_ticket_sessions")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_ticket_sessions_conversation", "ticket_sessions", ["conversation", "session"])
    op.create_table(
        "ticket_notes",
        identity(),
        number("ticket"),
        time("at"),
        text("author"),
        text("text"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_notes")),
    )
    op.create_index("ix_ticket_notes_ticket", "ticket_notes", ["ticket"])


def downgrade() -> None:
    op.drop_table("ticket_notes")
    op.drop_table("ticket_sessions")
    for name in ("ix_tickets_master", "ix_tickets_updated_at", "ix_tickets_open"):
        op.drop_index(name, "tickets")
    for name in (*TIMES, *(name for name, _ in NUMBERS), *TEXTS):
        op.drop_column("tickets", name)
