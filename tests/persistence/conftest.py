"""A migrated store on each database in turn, with a clock that only moves when it is told to.

Migrating takes longer than most tests, so it happens once for each database: an SQLite test gets a copy of the file, a
PostgreSQL test finds the tables emptied.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from persistence.address import DatabaseAddress
from persistence.journal import Edit
from persistence.prompts import Prompt
from persistence.store import Store, migrate
from persistence.tables import metadata
from tests.support.postgres import PostgresServer

START = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


class HandClock:
    """Tells the same time until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@dataclass
class Home:
    """What a new store starts with, and what tests make in it."""

    store: Store
    organization_id: UUID
    project_id: UUID
    owner_id: UUID

    async def prompt(self, name: str = "Greeting", *, client_id: int = 1, state: bytes = b"state") -> Prompt:
        return await self.store.prompts.create(
            organization_id=self.organization_id,
            project_id=self.project_id,
            name=name,
            state=state,
            client_id=client_id,
            user_id=self.owner_id,
        )

    def edits(self, *updates: bytes) -> list[Edit]:
        return [Edit(update, self.owner_id) for update in updates]


async def home_of(store: Store) -> Home:
    first = await store.bootstrap()
    return Home(store, first.organization.id, first.project.id, first.owner.id)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(scope="session")
def _migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "promptroom.db"
    asyncio.run(migrate(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def _migrated_database(_postgres_for_all: PostgresServer) -> str:
    _postgres_for_all.start()
    url = _postgres_for_all.new_database()
    asyncio.run(migrate(url))
    return url


@pytest.fixture
def sqlite_store_url(_migrated_file: Path, tmp_path: Path) -> str:
    """The DATABASE_URL of an SQLite file of this test's own with the newest schema."""
    path = shutil.copy(_migrated_file, tmp_path / "promptroom.db")
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture
async def postgres_store_url(_migrated_database: str, postgres: PostgresServer) -> str:
    """The DATABASE_URL of an empty PostgreSQL database with the newest schema."""
    assert postgres.running
    connection = await asyncpg.connect(DatabaseAddress.parse(_migrated_database).dsn)
    await connection.execute("; ".join(f"DELETE FROM {table}" for table in reversed(metadata.sorted_tables)))  # noqa: S608
    await connection.close()
    return _migrated_database


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest) -> str:
    """Every kind of database in turn, empty and with the newest schema."""
    return str(request.getfixturevalue(f"{request.param}_store_url"))


@pytest.fixture
async def store(store_url: str, clock: HandClock) -> AsyncIterator[Store]:
    """An empty store, on SQLite and on PostgreSQL."""
    store = await Store.open(store_url, clock=clock)
    yield store
    await store.close()


@pytest.fixture
async def home(store: Store) -> Home:
    """A store after its first start, on SQLite and on PostgreSQL."""
    return await home_of(store)
