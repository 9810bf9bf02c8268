"""What comes to a message later: edits, reactions, parts of an album; further names that platforms have for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "message_marks",
        sa.Column("conversation", number, autoincrement=False, nullable=False),
        sa.Column("seq", number, autoincrement=False, nullable=False),
        sa.Column("marks", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("conversation", "seq", name=op.f("pk_message_marks")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "message_ids",
        sa.Column("conversation", number, autoincrement=False, nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("seq", number, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("conversation", "message_id", name=op.f("pk_message_ids")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("message_ids")
    op.drop_table("message_marks")
