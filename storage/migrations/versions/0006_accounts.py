"""People who sign in, their devices and tokens, guesses, the audit, and answers of the API kept under a key."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def number(name: str) -> sa.Column[int]:
    return sa.Column(name, NUMBER, autoincrement=False, nullable=False)


def time(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Float(precision=53), nullable=False)


def identity() -> sa.Column[int]:
    return sa.Column("id", NUMBER, autoincrement=True, nullable=False)


def blob(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=False)


def upgrade() -> None:
    op.create_table(
        "users",
        identity(),
        text("name"),
        text("title"),
        text("role"),
        number("active"),
        text("language"),
        text("theme"),
        text("password"),
        text("totp"),
        text("totp_new"),
        number("totp_at"),
        blob("recovery"),
        time("created_at"),
        time("changed_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("name", name=op.f("uq_users_name")),
    )
    op.create_index("ix_users_role", "users", ["role"], unique=False)
    op.create_table(
        "user_lines",
        number("user_id"),
        text("line"),
        text("role"),
        sa.PrimaryKeyConstraint("user_id", "line", name=op.f("pk_user_lines")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "logins",
        text("digest"),
        text("id"),
        number("user_id"),
        time("created_at"),
        time("seen_at"),
        time("idle_at"),
        time("ends_at"),
        text("device"),
        text("address"),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_logins")),
    )
    op.create_index("ix_logins_user_id", "logins", ["user_id"], unique=False)
    op.create_index("ix_logins_ends_at", "logins", ["ends_at"], unique=False)
    op.create_table(
        "tokens",
        identity(),
        text("digest"),
        number("user_id"),
        text("name"),
        blob("scopes"),
        time("created_at"),
        time("used_at"),
        time("ends_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_tokens_digest")),
    )
    op.create_index("ix_tokens_user_id", "tokens", ["user_id"], unique=False)
    op.create_table(
        "guesses",
        text("scope"),
        number("times"),
        time("until"),
        time("last_at"),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_guesses")),
    )
    op.create_index("ix_guesses_last_at", "guesses", ["last_at"], unique=False)
    op.create_table(
        "audit",
        identity(),
        time("at"),
        text("by"),
        text("action"),
        text("object"),
        blob("detail"),
        text("address"),
        text("before"),
        text("hash"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_table(
        "requests",
        text("owner"),
        text("key"),
        text("digest"),
        number("status"),
        blob("body"),
        time("at"),
        sa.PrimaryKeyConstraint("owner", "key", name=op.f("pk_requests")),
    )
    op.create_index("ix_requests_at", "requests", ["at"], unique=False)


def downgrade() -> None:
    for table in ("requests", "audit", "guesses", "tokens", "logins", "user_lines", "users"):
        op.drop_table(table)
