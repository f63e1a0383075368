"""A small disk is really full, PostgreSQL says so and stays, and all is well when there is space again."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random

import asyncpg
import pytest

from persistence.address import DatabaseAddress
from tests.faults.cluster.full_disk import PostgresOnSmallDisk, is_possible

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(not is_possible(), reason="the system lets us have no disk of our own"),
]

_ROW_BYTES = 100_000


@pytest.fixture
def on_small_disk() -> Iterator[PostgresOnSmallDisk]:
    """A running server."""
    server = PostgresOnSmallDisk()
    server.start()
    yield server
    server.close()


@pytest.fixture
async def connection(on_small_disk: PostgresOnSmallDisk) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection to an empty database of it, with a table."""
    connected = await asyncpg.connect(DatabaseAddress.parse(on_small_disk.new_database()).dsn)
    await connected.execute("CREATE TABLE kept (number bigint, payload bytea)")
    yield connected
    await connected.close()


async def insert(connection: "asyncpg.Connection[asyncpg.Record]", number: int, rng: Random) -> None:
    await connection.execute("INSERT INTO kept VALUES ($1, $2)", number, rng.randbytes(_ROW_BYTES))


async def test_commits_fail_for_want_of_space_and_go_on_when_there_is_some(
    on_small_disk: PostgresOnSmallDisk, connection: "asyncpg.Connection[asyncpg.Record]", rng: Random
) -> None:
    await insert(connection, 1, rng)
    on_small_disk.fill()
    for _ in range(3):
        with pytest.raises(asyncpg.DiskFullError):
            await insert(connection, 2, rng)
    assert await connection.fetchval("SELECT count(*) FROM kept") == 1
    on_small_disk.free()
    await insert(connection, 3, rng)
    assert [row["number"] for row in await connection.fetch("SELECT number FROM kept ORDER BY number")] == [1, 3]
    assert on_small_disk.running


async def test_a_server_that_is_stopped_with_a_full_disk_finds_its_data_again(
    on_small_disk: PostgresOnSmallDisk, rng: Random
) -> None:
    dsn = DatabaseAddress.parse(on_small_disk.new_database()).dsn
    before = await asyncpg.connect(dsn)
    await before.execute("CREATE TABLE kept (number bigint, payload bytea)")
    await insert(before, 1, rng)
    on_small_disk.fill()
    on_small_disk.stop_immediate()
    await before.close()
    on_small_disk.free()
    on_small_disk.start()
    after = await asyncpg.connect(dsn)
    assert await after.fetchval("SELECT number FROM kept") == 1
    await after.close()


def test_nothing_of_it_stays() -> None:
    server = PostgresOnSmallDisk()
    directory = server._directory  # noqa: SLF001 - nobody else needs it
    assert str(directory) not in Path("/proc/self/mountinfo").read_text()
    server.start()
    server.close()
    assert not directory.exists()
