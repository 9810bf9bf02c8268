"""Clients that became one, the one-time codes that prove it, and attempts to guess one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "joins",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("at", sa.Float(precision=53), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("kept", number, autoincrement=False, nullable=False),
        sa.Column("gone", number, autoincrement=False, nullable=False),
        sa.Column("kept_card", sa.LargeBinary(), nullable=False),
        sa.Column("gone_card", sa.LargeBinary(), nullable=False),
        sa.Column("moved", sa.LargeBinary(), nullable=False),
        sa.Column("written", sa.LargeBinary(), nullable=False),
        sa.Column("undone_at", sa.Float(precision=53), nullable=False),
        sa.Column("undone_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_joins")),
    )
    op.create_index("ix_joins_kept", "joins", ["kept"], unique=False)
    op.create_index("ix_joins_gone", "joins", ["gone"], unique=False)
    op.create_table(
        "codes",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("conversation", number, autoincrement=False, nullable=False),
        sa.Column("created_at", sa.Float(precision=53), nullable=False),
        sa.Column("expires_at", sa.Float(precision=53), nullable=False),
        sa.Column("used_key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_codes")),
    )
    op.create_index("ix_codes_conversation", "codes", ["conversation"], unique=False)
    op.create_index("ix_codes_expires_at", "codes", ["expires_at"], unique=False)
    op.create_table(
        "code_tries",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("times", number, autoincrement=False, nullable=False),
        sa.Column("since", sa.Float(precision=53), nullable=False),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_code_tries")),
    )
    op.create_index("ix_code_tries_since", "code_tries", ["since"], unique=False)


def downgrade() -> None:
    op.drop_table("code_tries")
    op.drop_table("codes")
    op.drop_table("joins")
