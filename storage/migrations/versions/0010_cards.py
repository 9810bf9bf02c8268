"""The client card: notes, tags, edits, read marks; what clients and sessions are looked for and ordered by."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

from storage.migrations.columns import blob, identity, number, text, time

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

CURRENT = "current = 1"
BOT = "current = 1 AND line = ''"
CATEGORY = "current = 1 AND category <> ''"
TIERED = "tier <> ''"
ORDERS = (
    ("ix_sessions_list_status", ["line", "status", "order_due", "conversation", "current"], CURRENT),
    ("ix_sessions_list_status_last", ["line", "status", "last_at", "conversation"], CURRENT),
    ("ix_sessions_category", ["category", "last_at", "conversation"], CATEGORY),
    ("ix_sessions_list_last", ["line", "last_at", "conversation"], CURRENT),
    ("ix_sessions_list_due", ["line", "order_due", "conversation"], CURRENT),
    ("ix_sessions_bot_last", ["channel", "last_at", "conversation", "line", "current"], BOT),
    ("ix_sessions_bot_due", ["channel", "order_due", "conversation"], BOT),
)


def upgrade() -> None:
    _tables()
    zero, nothing = sa.text("0"), sa.text("''")
    op.add_column("sessions", sa.Column("last_at", sa.Float(precision=53), nullable=False, server_default=zero))
    op.add_column("sessions", sa.Column("order_due", sa.Float(precision=53), nullable=False, server_default=zero))
    op.execute("UPDATE sessions SET last_at = moved_at, order_due = CASE WHEN due > 0 THEN due ELSE 9e12 END")
    for name, columns, where in ORDERS:
        op.create_index(name, "sessions", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
    op.add_column("clients", sa.Column("words", sa.Text(), nullable=False, server_default=nothing))
    op.add_column("clients", sa.Column("tier", sa.Text(), nullable=False, server_default=nothing))
    _write_words(op.get_bind())
    op.create_index("ix_clients_words", "clients", ["words", "id"])
    tiered = sa.text(TIERED)
    op.create_index("ix_clients_tier", "clients", ["tier", "id"], sqlite_where=tiered, postgresql_where=tiered)


def _tables() -> None:
    op.create_table(
        "read_marks",
        *(number(name) for name in ("user_id", "conversation", "seq")),
        time("at"),
        sa.PrimaryKeyConstraint("user_id", "conversation", name=op.f("pk_read_marks")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "client_tags",
        text("tag"),
        number("client"),
        sa.PrimaryKeyConstraint("tag", "client", name=op.f("pk_client_tags")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_client_tags_client", "client_tags", ["client"])
    for table, columns in (
        ("client_notes", [text("author"), text("text")]),
        ("client_edits", [text("author"), text("name"), blob("was"), blob("now"), text("reason")]),
    ):
        op.create_table(
            table,
            identity(),
            number("client"),
            number("conversation"),
            time("at"),
            *columns,
            sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        )
        op.create_index(f"ix_{table}_client", table, ["client"])


def _write_words(connection: sa.Connection) -> None:
    """Clients that were there before can be found, too."""
    clients = sa.table("clients", sa.column("id"), sa.column("card"), sa.column("words"))
    after = 0
    while True:
        found = connection.execute(
            sa.select(clients.c.id, clients.c.card).where(clients.c.id > after).order_by(clients.c.id).limit(1000)
        ).fetchall()
        for id, stored in found:
            card = json.loads(stored)
            said = " ".join(str(card.get(name) or "") for name in ("name", "username", "phone", "email"))
            folded = " ".join(said.lower().replace("ё", "е").split())[:300]
            connection.execute(sa.update(clients).where(clients.c.id == id).values(words=folded))
        if not found:
            return
        after = found[-1][0]


def downgrade() -> None:
    for index in ("ix_clients_tier", "ix_clients_words"):
        op.drop_index(index, "clients")
    for column in ("tier", "words"):
        op.drop_column("clients", column)
    for name, _, _ in ORDERS:
        op.drop_index(name, "sessions")
    for column in ("order_due", "last_at"):
        op.drop_column("sessions", column)
    for table in ("client_edits", "client_notes", "client_tags", "read_marks"):
        op.drop_table(table)
