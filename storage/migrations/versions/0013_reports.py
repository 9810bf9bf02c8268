"""What reports are made of: each fact of a session's life says of which session it is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.migrations.columns import NUMBER

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

OPENED = "kind = 'session_opened'"
OF_SESSION = "session > 0"


def upgrade() -> None:
    op.add_column("records", sa.Column("session", NUMBER, nullable=False, server_default=sa.text("0")))
    for name, columns, where in (
        ("ix_records_opened", ["at"], OPENED),
        ("ix_records_session", ["conversation", "session"], OF_SESSION),
    ):
        op.create_index(name, "records", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def downgrade() -> None:
    op.drop_index("ix_records_session", "records")
    op.drop_index("ix_records_opened", "records")
    op.drop_column("records", "session")
