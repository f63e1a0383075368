"""Versions, which are Git commits, with the texts they hold, and labels with every move of theirs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from persistence.columns import Identifier, Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema up."""
    op.create_table(
        "blobs",
        sa.Column("prompt_id", Identifier, nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["prompt_id"], ["prompts.id"], name="fk_blobs_prompt_id"),
        sa.PrimaryKeyConstraint("prompt_id", "id", name="pk_blobs"),
    )
    op.create_table(
        "versions",
        sa.Column("prompt_id", Identifier, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("blob_id", sa.String(length=40), nullable=False),
        sa.Column("parent_id", sa.String(length=40), nullable=True),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("author_id", Identifier, nullable=False),
        sa.Column("author_name", sa.Text(), nullable=False),
        sa.Column("co_authors", sa.JSON(), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("kind IN ('manual', 'automatic')", name="ck_versions_kind"),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name="fk_versions_author_id"),
        sa.ForeignKeyConstraint(["prompt_id"], ["prompts.id"], name="fk_versions_prompt_id"),
        sa.ForeignKeyConstraint(
            ["prompt_id", "blob_id"], ["blobs.prompt_id", "blobs.id"], name="fk_versions_prompt_id_blob_id"
        ),
        sa.PrimaryKeyConstraint("prompt_id", "number", name="pk_versions"),
        sa.UniqueConstraint("prompt_id", "id", name="uq_versions_prompt_id_id"),
    )
    op.create_table(
        "labels",
        sa.Column("prompt_id", Identifier, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version_id", sa.String(length=40), nullable=False),
        sa.Column("is_protected", sa.Boolean(), nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        sa.Column("updated_by", Identifier, nullable=False),
        sa.ForeignKeyConstraint(["prompt_id"], ["prompts.id"], name="fk_labels_prompt_id"),
        sa.ForeignKeyConstraint(
            ["prompt_id", "version_id"], ["versions.prompt_id", "versions.id"], name="fk_labels_prompt_id_version_id"
        ),
        sa.ForeignKeyConstraint(["updated_by"], ["users.id"], name="fk_labels_updated_by"),
        sa.PrimaryKeyConstraint("prompt_id", "name", name="pk_labels"),
    )
    op.create_table(
        "label_moves",
        sa.Column("prompt_id", Identifier, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("from_id", sa.String(length=40), nullable=True),
        sa.Column("to_id", sa.String(length=40), nullable=True),
        sa.Column("is_protected", sa.Boolean(), nullable=False),
        sa.Column("user_id", Identifier, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(["prompt_id"], ["prompts.id"], name="fk_label_moves_prompt_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_label_moves_user_id"),
        sa.PrimaryKeyConstraint("prompt_id", "name", "number", name="pk_label_moves"),
    )


def downgrade() -> None:
    """Take the schema back down: versions and labels are lost, the journal stays."""
    for table in ("label_moves", "labels", "versions", "blobs"):
        op.drop_table(table)
