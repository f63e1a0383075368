"""What the tests of the HTTP edge share."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from persistence.store import migrate
from tests.server.api.edge import Edge


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("template") / "promptroom.db"
    asyncio.run(migrate(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture
async def edge(tmp_path: Path, migrated_database: Path) -> AsyncIterator[Edge]:
    """The application with a store, a hub, and people of every role."""
    edge = await Edge.build(tmp_path, migrated_database)
    yield edge
    await edge.close()
