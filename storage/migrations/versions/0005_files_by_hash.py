"""Whether any row names the bytes with a hash can be asked without reading all of them."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_files_sha256", "files", ["sha256"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_files_sha256", "files")
