"""Canned replies, drafts, mentions, the search of PostgreSQL, and the way from a message of ours to its delivery."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.migrations.columns import blob, identity, number, text, time

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

OURS = "guarded = 0 AND kind = 'send'"
WORDS = "to_tsvector('russian', words) || to_tsvector('simple', words)"


def upgrade() -> None:
    _replies()
    _drafts()
    _mentions()
    op.create_index(
        "ix_outbox_ours", "outbox", ["conversation", "seq"], sqlite_where=sa.text(OURS), postgresql_where=sa.text(OURS)
    )
    if op.get_bind().dialect.name == "postgresql":
        _search()


def _replies() -> None:
    op.create_table(
        "replies",
        identity(),
        text("scope"),
        number("owner"),
        *(text(name) for name in ("line", "shortcut", "title", "text")),
        blob("files"),
        *(number(name) for name in ("place", "uses")),
        *(time(name) for name in ("used_at", "changed_at")),
        text("changed_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replies")),
        sa.UniqueConstraint("scope", "owner", "line", "shortcut", name=op.f("uq_replies_scope_owner_line_shortcut")),
    )


def _drafts() -> None:
    op.create_table(
        "drafts",
        *(number(name) for name in ("user_id", "conversation")),
        *(text(name) for name in ("kind", "text")),
        blob("files"),
        number("version"),
        time("at"),
        sa.PrimaryKeyConstraint("user_id", "conversation", "kind", name=op.f("pk_drafts")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_drafts_conversation", "drafts", ["conversation"])


def _mentions() -> None:
    op.create_table(
        "mentions",
        identity(),
        *(number(name) for name in ("user_id", "conversation")),
        time("at"),
        *(text(name) for name in ("author", "text")),
        time("read_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mentions")),
    )
    op.create_index("ix_mentions_user_id", "mentions", ["user_id", "id"])


def _search() -> None:
    """What was said, as it is looked for. It can be made anew from the other tables at any time, so no copy carries it."""
    op.execute(
        "CREATE TABLE search_documents (id bigserial PRIMARY KEY, kind text NOT NULL, home bigint NOT NULL,"
        " number bigint NOT NULL, at double precision NOT NULL, text text NOT NULL, words text NOT NULL,"
        " UNIQUE (kind, home, number))"
    )
    op.execute(f"CREATE INDEX ix_search_documents_words ON search_documents USING gin (({WORDS}))")
    op.execute("CREATE TABLE search_homes (kind text, home bigint, version bigint NOT NULL, PRIMARY KEY (kind, home))")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_table("search_homes")
        op.drop_table("search_documents")
    op.drop_index("ix_outbox_ours", "outbox")
    for table in ("mentions", "drafts", "replies"):
        op.drop_table(table)
