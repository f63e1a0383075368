"""What a dead server has left behind."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from persistence.store import Store
from tests.support.people import beside

SQLITE = "sqlite+aiosqlite:///"


@asynccontextmanager
async def as_it_was_left(database_url: str) -> AsyncIterator[Store]:
    """Open what a dead server has left, without touching it: of an SQLite file, a copy with its log."""
    if not database_url.startswith(SQLITE):
        async with beside(database_url) as store:
            yield store
        return
    path = Path(database_url.removeprefix(SQLITE))
    with TemporaryDirectory(prefix="promptroom-left-") as directory:
        for suffix in ("", "-wal"):
            if path.with_name(path.name + suffix).exists():
                shutil.copy(path.with_name(path.name + suffix), directory)
        async with beside(f"{SQLITE}{directory}/{path.name}") as store:
            yield store
