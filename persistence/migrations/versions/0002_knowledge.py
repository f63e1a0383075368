"""What the server knew of a checkpoint's state stands beside it, so that it need not be found out again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema up."""
    op.add_column("checkpoints", sa.Column("knowledge", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Take the schema back down. The digest covers the column, so checkpoints with it are no longer sound."""
    op.execute("DELETE FROM checkpoints WHERE knowledge IS NOT NULL")
    op.drop_column("checkpoints", "knowledge")
