"""Times and keys come back as they were written, on both databases."""

import uuid
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from persistence.columns import from_microseconds, to_microseconds
from persistence.store import Store
from persistence.tables import organizations

INSTANTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.timezones())  # noqa: DTZ001


@given(INSTANTS)
def test_microseconds_lose_nothing(instant: datetime) -> None:
    assert from_microseconds(to_microseconds(instant)) == instant.astimezone(UTC)


async def test_rows_come_back_as_they_were_written_and_sort_by_time(store: Store) -> None:
    east = timezone(timedelta(hours=9))
    instants = [
        datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 1, 1, 0, 30, 0, 1, tzinfo=east),
        datetime(2026, 1, 1, tzinfo=UTC),
    ]
    rows = [
        {"id": uuid.uuid4(), "name": str(place), "created_at": at, "updated_at": at, "deleted_at": None}
        for place, at in enumerate(instants)
    ]
    async with store.database.write() as connection:
        await connection.execute(organizations.insert(), list(reversed(rows)))
        ordered = await connection.execute(select(organizations).order_by(organizations.c.created_at))
        found = [dict(row) for row in ordered.mappings()]
    assert found == rows
    assert all(row["created_at"].tzinfo is UTC for row in found)
