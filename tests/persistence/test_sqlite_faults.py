"""What can happen to a file: another process's lock, a full disk, a write that fails, damage."""

import asyncio
import resource
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from persistence import sqlite
from persistence.address import DatabaseAddress
from persistence.errors import StoreDamaged, StoreUnavailable
from persistence.sqlite_writer import SqliteWriter
from persistence.store import Store
from tests.persistence.conftest import Home, home_of


@pytest.fixture
def path(sqlite_store_url: str) -> Path:
    return DatabaseAddress.parse(sqlite_store_url).path


@pytest.fixture
async def home(sqlite_store_url: str) -> AsyncIterator[Home]:
    """A store that does not wait for locks."""
    store = await Store.open(sqlite_store_url, lock_wait_seconds=0.0)
    yield await home_of(store)
    await store.close()


def writer_of(store: Store) -> SqliteWriter:
    assert store.journal.group_commit is not None
    writer = store.journal.group_commit.writer
    assert isinstance(writer, SqliteWriter)
    return writer


async def assert_sound(home: Home) -> None:
    assert [finding async for finding in home.store.verify()] == []


async def test_every_connection_waits_for_the_disk_before_a_commit_returns(home: Home) -> None:
    full = 2

    def settings(connection: sqlite3.Connection) -> list[object]:
        return [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]

    assert await writer_of(home.store).thread.run(settings) == ["wal", full]
    async with home.store.database.write() as connection:
        for name, expected in (("journal_mode", "wal"), ("synchronous", full), ("foreign_keys", 1)):
            assert (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar() == expected


async def test_the_database_is_readable_by_its_user_only(home: Home, path: Path) -> None:
    prompt = await home.prompt()
    await home.store.journal.append(prompt.id, home.edits(b"x"))
    fresh = path.with_name("fresh") / "promptroom.db"
    sqlite.create_file(fresh)
    assert fresh.stat().st_mode & 0o777 == 0o600


async def test_while_another_process_holds_the_lock_nothing_is_committed(home: Home, path: Path) -> None:
    prompt = await home.prompt()
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="locked"):
                await home.store.journal.append(prompt.id, home.edits(b"x"))
        with pytest.raises(StoreUnavailable, match="locked"):
            await home.prompt("another")
        assert await home.store.journal.head(prompt.id) == 1
        other.execute("ROLLBACK")
    assert await home.store.journal.append(prompt.id, home.edits(b"y")) == 2
    await assert_sound(home)


async def test_a_lock_that_is_given_back_in_time_only_delays(sqlite_store_url: str, path: Path) -> None:
    store = await Store.open(sqlite_store_url, lock_wait_seconds=60.0)
    home = await home_of(store)
    prompt = await home.prompt()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    future = store.journal.append(prompt.id, home.edits(b"x"))
    # Reading goes on meanwhile.
    assert await store.journal.head(prompt.id) == 1
    assert not future.done()
    other.execute("ROLLBACK")
    other.close()
    assert await future == 2
    await store.close()


async def test_a_full_disk_fails_the_append_and_the_next_one_after_it_is_well(
    home: Home, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt = await home.prompt()
    await home.store.journal.append(prompt.id, home.edits(b"before"))
    with sqlite3.connect(path) as other:
        pages = other.execute("PRAGMA page_count").fetchone()[0]
    other.close()
    limit = f"PRAGMA max_page_count = {pages + 4}"
    with monkeypatch.context() as full:
        full.setattr(sqlite, "PRAGMAS", (*sqlite.PRAGMAS, limit))
        await writer_of(home.store).thread.run(lambda connection: connection.execute(limit).fetchall())
        for _ in range(2):
            futures = [
                home.store.journal.append(prompt.id, home.edits(b"small")),
                home.store.journal.append(prompt.id, home.edits(bytes(100_000))),
            ]
            for outcome in await asyncio.gather(*futures, return_exceptions=True):
                assert isinstance(outcome, StoreUnavailable)
                assert "full" in str(outcome)
        assert await home.store.journal.head(prompt.id) == 2
    assert await home.store.journal.append(prompt.id, home.edits(bytes(100_000))) == 3
    await assert_sound(home)


async def test_a_write_that_the_operating_system_refuses_leaves_nothing_half_written(home: Home, path: Path) -> None:
    prompt = await home.prompt()
    await home.store.journal.append(prompt.id, home.edits(b"before"))
    log = path.with_name(f"{path.name}-wal")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size + 10_000, hard))
    try:
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                await home.store.journal.append(prompt.id, home.edits(bytes(100_000)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert await home.store.journal.append(prompt.id, home.edits(b"after")) == 3
    assert [entry.update for entry in await home.store.journal.read(prompt.id, after=1)] == [b"before", b"after"]
    await assert_sound(home)


async def test_a_connection_that_fails_is_replaced(home: Home) -> None:
    prompt = await home.prompt()
    await writer_of(home.store).thread.run(lambda connection: connection.close())
    with pytest.raises(StoreUnavailable):
        await home.store.journal.append(prompt.id, home.edits(b"x"))
    assert await home.store.journal.append(prompt.id, home.edits(b"x")) == 2


async def test_a_function_on_the_writers_thread_may_fail_without_ending_it(home: Home) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        del connection
        raise LookupError

    with pytest.raises(LookupError):
        await writer_of(home.store).thread.run(fail)
    prompt = await home.prompt()
    assert await home.store.journal.append(prompt.id, home.edits(b"x")) == 2


@pytest.fixture
def no_database(path: Path) -> None:
    path.write_bytes(b"this is not a database, and longer than its header would be" * 100)


@pytest.mark.usefixtures("no_database")
async def test_a_file_that_is_no_database_is_said_to_be_damaged(sqlite_store_url: str) -> None:
    with pytest.raises(StoreDamaged):
        await Store.open(sqlite_store_url)
    # Nothing stays locked.
    with pytest.raises(StoreDamaged):
        await Store.open(sqlite_store_url)
