"""Column types that mean the same in SQLite and PostgreSQL.

SQLite has neither a UUID nor a time type. A UUID is kept there as its 16 bytes rather than as
32 characters, because every journal row carries two of them; an instant as whole microseconds since
1970 in UTC, so that comparing and sorting in SQL is right.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Dialect, LargeBinary, TypeDecorator, Uuid
from sqlalchemy.types import TypeEngine

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_microseconds(instant: datetime) -> int:
    """Return whole microseconds since 1970 of an aware ``instant``, exactly."""
    return (instant - _EPOCH) // _MICROSECOND


def from_microseconds(value: int) -> datetime:
    """Return the aware UTC instant that ``to_microseconds`` was given."""
    return _EPOCH + timedelta(microseconds=value)


def as_uuid(value: UUID | bytes) -> UUID:
    """Return the key that either driver gave."""
    return value if isinstance(value, UUID) else UUID(bytes=value)


def as_instant(value: datetime | int) -> datetime:
    """Return the aware UTC instant that either driver gave."""
    return value.astimezone(UTC) if isinstance(value, datetime) else from_microseconds(value)


class Identifier(TypeDecorator[UUID]):
    """A UUID: native in PostgreSQL, 16 bytes in SQLite."""

    impl = LargeBinary(16)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the database's own type."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(Uuid())
        return dialect.type_descriptor(LargeBinary(16))

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> UUID | bytes | None:
        """Turn a UUID into what the driver takes."""
        if value is None or dialect.name == "postgresql":
            return value
        return value.bytes

    def process_result_value(self, value: UUID | bytes | None, dialect: Dialect) -> UUID | None:
        """Turn what the driver gives into a UUID."""
        del dialect
        return None if value is None else as_uuid(value)


class Instant(TypeDecorator[datetime]):
    """A point in time, aware and in UTC on the Python side."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the database's own type."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | int | None:
        """Turn an aware instant into what the driver takes."""
        if value is None or dialect.name == "postgresql":
            return value
        return to_microseconds(value)

    def process_result_value(self, value: datetime | int | None, dialect: Dialect) -> datetime | None:
        """Turn what the driver gives into an aware UTC instant."""
        del dialect
        return None if value is None else as_instant(value)
