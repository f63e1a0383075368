"""The tables.

Entities (organizations, users, memberships, projects, prompts) have ``created_at``, ``updated_at``
and ``deleted_at``; deleting one sets ``deleted_at`` and nothing else. Facts (journal, client ids,
checkpoints, versions with their blobs, moves of labels) are never changed once written. The rest expires.

``prompts.head_seq`` is the seq of the last journal row of the prompt. It is only ever advanced by the
statement that appends those rows, under the row lock, which is what makes the numbers gapless.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from persistence.columns import Identifier, Instant

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _reference(name: str, target: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, Identifier, ForeignKey(f"{target}.id"), nullable=nullable)


def _life() -> tuple[Column[object], Column[object], Column[object]]:
    return (
        Column("created_at", Instant, nullable=False),
        Column("updated_at", Instant, nullable=False),
        Column("deleted_at", Instant),
    )


organizations = Table(
    "organizations",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("name", Text, nullable=False),
    *_life(),
)

users = Table(
    "users",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("email", Text, unique=True),
    Column("name", Text, nullable=False),
    Column("password_hash", Text),
    *_life(),
)

memberships = Table(
    "memberships",
    metadata,
    _reference("organization_id", "organizations"),
    _reference("user_id", "users"),
    Column("role", String(16), nullable=False),
    *_life(),
    PrimaryKeyConstraint("organization_id", "user_id"),
    CheckConstraint("role IN ('owner', 'editor', 'viewer')", name="role"),
    Index(None, "user_id"),
)

projects = Table(
    "projects",
    metadata,
    Column("id", Identifier, primary_key=True),
    _reference("organization_id", "organizations"),
    Column("name", Text, nullable=False),
    *_life(),
    Index(None, "organization_id", "created_at"),
)

prompts = Table(
    "prompts",
    metadata,
    Column("id", Identifier, primary_key=True),
    _reference("organization_id", "organizations"),
    _reference("project_id", "projects"),
    Column("name", Text, nullable=False),
    Column("folded_name", Text, nullable=False),
    Column("slug", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("head_seq", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    _reference("created_by", "users"),
    *_life(),
    UniqueConstraint("project_id", "slug"),
    Index(None, "organization_id", "created_at", "id"),
)

# A clustered key keeps the rows of a prompt side by side, and one append writes one B-tree.
journal = Table(
    "journal",
    metadata,
    _reference("prompt_id", "prompts"),
    Column("seq", BigInteger, nullable=False),
    _reference("user_id", "users"),
    Column("kind", String(16), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    PrimaryKeyConstraint("prompt_id", "seq"),
    sqlite_with_rowid=False,
)

client_ids = Table(
    "client_ids",
    metadata,
    _reference("prompt_id", "prompts"),
    Column("client_id", BigInteger, nullable=False),
    _reference("user_id", "users"),
    Column("created_at", Instant, nullable=False),
    PrimaryKeyConstraint("prompt_id", "client_id"),
    sqlite_with_rowid=False,
)

checkpoints = Table(
    "checkpoints",
    metadata,
    _reference("prompt_id", "prompts"),
    Column("seq", BigInteger, nullable=False),
    Column("state", LargeBinary, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("created_at", Instant, nullable=False),
    # What the server knows of the state; null where it did not say.
    Column("knowledge", LargeBinary),
    PrimaryKeyConstraint("prompt_id", "seq"),
)

# What versions hold, compressed; many may hold the same.
blobs = Table(
    "blobs",
    metadata,
    _reference("prompt_id", "prompts"),
    Column("id", String(40), nullable=False),
    Column("data", LargeBinary, nullable=False),
    PrimaryKeyConstraint("prompt_id", "id"),
)

versions = Table(
    "versions",
    metadata,
    _reference("prompt_id", "prompts"),
    Column("number", Integer, nullable=False),
    Column("id", String(40), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("blob_id", String(40), nullable=False),
    Column("parent_id", String(40)),
    Column("path", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("message", Text, nullable=False),
    _reference("author_id", "users"),
    # Names as they stand in the commit: people are renamed, commits are not.
    Column("author_name", Text, nullable=False),
    Column("co_authors", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    # The commit itself, as Git hashes it.
    Column("data", LargeBinary, nullable=False),
    PrimaryKeyConstraint("prompt_id", "number"),
    UniqueConstraint("prompt_id", "id"),
    ForeignKeyConstraint(["prompt_id", "blob_id"], ["blobs.prompt_id", "blobs.id"]),
    CheckConstraint("kind IN ('manual', 'automatic')", name="kind"),
)

labels = Table(
    "labels",
    metadata,
    _reference("prompt_id", "prompts"),
    Column("name", String(64), nullable=False),
    Column("version_id", String(40), nullable=False),
    Column("is_protected", Boolean, nullable=False),
    Column("updated_at", Instant, nullable=False),
    _reference("updated_by", "users"),
    PrimaryKeyConstraint("prompt_id", "name"),
    ForeignKeyConstraint(["prompt_id", "version_id"], ["versions.prompt_id", "versions.id"]),
)

label_moves = Table(
    "label_moves",
    metadata,
    _reference("prompt_id", "prompts"),
    Column("name", String(64), nullable=False),
    Column("number", Integer, nullable=False),
    # Null where there was no label before, or is none after.
    Column("from_id", String(40)),
    Column("to_id", String(40)),
    Column("is_protected", Boolean, nullable=False),
    _reference("user_id", "users"),
    Column("reason", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    PrimaryKeyConstraint("prompt_id", "name", "number"),
)

# What a state of a prompt is every so many rows of its journal, kept for good: any point is near one.
keyframes = Table(
    "keyframes",
    metadata,
    _reference("prompt_id", "prompts"),
    Column("seq", BigInteger, nullable=False),
    # The keyframe before it, or 0.
    Column("since", BigInteger, nullable=False),
    Column("state", LargeBinary, nullable=False),
    Column("spans", LargeBinary, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("activity", LargeBinary, nullable=False),
    Column("activity_digest", LargeBinary(32), nullable=False),
    Column("created_at", Instant, nullable=False),
    PrimaryKeyConstraint("prompt_id", "seq"),
)

tickets = Table(
    "tickets",
    metadata,
    Column("hash", LargeBinary(32), primary_key=True),
    Column("purpose", String(16), nullable=False),
    _reference("user_id", "users"),
    _reference("organization_id", "organizations"),
    Column("scope", JSON),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    Index(None, "expires_at"),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("hash", LargeBinary(32), primary_key=True),
    Column("family", Identifier, nullable=False),
    _reference("user_id", "users"),
    _reference("organization_id", "organizations"),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("rotated_at", Instant),
    Column("revoked_at", Instant),
    Index(None, "family"),
    Index(None, "user_id"),
    Index(None, "expires_at"),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    _reference("user_id", "users"),
    Column("key", Text, nullable=False),
    Column("fingerprint", LargeBinary(32), nullable=False),
    Column("status", Integer),
    Column("headers", JSON),
    Column("body", LargeBinary),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    PrimaryKeyConstraint("user_id", "key"),
    Index(None, "expires_at"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Identifier, primary_key=True),
    _reference("prompt_id", "prompts"),
    _reference("user_id", "users", nullable=True),
    # The journal row these bytes were stored as, which every replay leaves out; null where they never were stored.
    Column("seq", BigInteger),
    Column("reason", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("prompt_id", "seq"),
    Index(None, "prompt_id", "created_at"),
)
