"""Ways in which a store fails for a while, and comes back without the server being started again."""

import resource
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path

from tests.faults.full_disk_server import VARIABLE
from tests.faults.hanging import Line
from tests.faults.left import SQLITE
from tests.support.people import ENVIRONMENT
from tests.support.postgres import PostgresServer
from tests.support.server import ServerProcess

Outage = Callable[[ServerProcess], AbstractAsyncContextManager[None]]

# The first bytes of a file can still be written anew, but no file of ours is that small.
_SMALL_FILE_BYTES = 512


class ServerOnSmallDisk(ServerProcess):
    """A server whose SQLite file cannot grow while the disk is full."""

    program = "tests.faults.full_disk_server"

    def __init__(self, state_directory: Path) -> None:
        self.full = state_directory / "the-disk-is-full"
        super().__init__(state_directory, environment={**ENVIRONMENT, VARIABLE: str(self.full)})


@asynccontextmanager
async def locked(server: ServerProcess) -> AsyncIterator[None]:
    """Hold the write lock of the SQLite file, as a backup tool or a forgotten shell does."""
    with closing(sqlite3.connect(server.database_url.removeprefix(SQLITE), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@asynccontextmanager
async def full(server: ServerProcess) -> AsyncIterator[None]:
    """Leave no space for the SQLite file to grow."""
    assert isinstance(server, ServerOnSmallDisk)
    server.full.touch()
    yield
    server.full.unlink()


@asynccontextmanager
async def unwritable(server: ServerProcess) -> AsyncIterator[None]:
    """Have every write to every file of the server fail, its log included: the system allows no file that large."""
    _, most = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (_SMALL_FILE_BYTES, most))
    yield
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (most, most))


def stopped(postgres: PostgresServer) -> Outage:
    """Return the outage of a PostgreSQL that is stopped as by a crash, and started again."""

    @asynccontextmanager
    async def outage(_: ServerProcess) -> AsyncIterator[None]:
        postgres.stop_immediate()
        yield
        # Not in a thread of its own: the system would end the server with it.
        postgres.start()

    return outage


def dead(line: Line) -> Outage:
    """Return the outage of a line to the database that goes dead; what was on its way arrives when it is back."""

    @asynccontextmanager
    async def outage(_: ServerProcess) -> AsyncIterator[None]:
        line.alive.clear()
        yield
        line.alive.set()

    return outage
