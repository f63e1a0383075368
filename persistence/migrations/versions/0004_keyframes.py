"""Keyframes: the state of a prompt every so many rows of its journal, so that any point of it is near."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from persistence.columns import Identifier, Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema up."""
    op.create_table(
        "keyframes",
        sa.Column("prompt_id", Identifier, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.Column("spans", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("activity", sa.LargeBinary(), nullable=False),
        sa.Column("activity_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(["prompt_id"], ["prompts.id"], name="fk_keyframes_prompt_id"),
        sa.PrimaryKeyConstraint("prompt_id", "seq", name="pk_keyframes"),
    )


def downgrade() -> None:
    """Take the schema back down: what keyframes hold can be worked out again from the journal."""
    op.drop_table("keyframes")
