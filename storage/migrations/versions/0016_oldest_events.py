"""The oldest pending events are found without reading all that wait."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

WAITING = sa.text("state = 0 AND attempts >= 0")


def upgrade() -> None:
    op.create_index("ix_inbox_oldest", "inbox", ["id"], sqlite_where=WAITING, postgresql_where=WAITING)


def downgrade() -> None:
    op.drop_index("ix_inbox_oldest", table_name="inbox", sqlite_where=WAITING, postgresql_where=WAITING)
