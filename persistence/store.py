"""The store: everything that is kept, behind one object.

await migrate(database_url)
store = await Store.open(database_url)
seq = await store.journal.append(prompt_id, [Edit(update, user_id)])
await store.close()
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from enum import Enum, auto

from persistence import bootstrap, group_commit, sqlite
from persistence.accounts import Accounts
from persistence.address import DatabaseAddress
from persistence.bootstrap import Bootstrap
from persistence.checkpoints import Checkpoints
from persistence.engine import Clock, Database, utc_now
from persistence.errors import SchemaOutdated, StoreUnavailable
from persistence.failures import store_errors
from persistence.file_lock import FileLock
from persistence.group_commit import GroupCommit, Writer
from persistence.idempotency import Idempotency
from persistence.imports import Imports
from persistence.journal import Journal
from persistence.keyframes import Keyframes
from persistence.labels import Labels
from persistence.postgres_writer import PostgresWriter
from persistence.projects import Projects
from persistence.prompts import Prompts
from persistence.quarantine import Quarantine
from persistence.refresh_tokens import RefreshTokens
from persistence.schema import check_schema, downgrade, migrate
from persistence.sqlite_writer import SqliteWriter
from persistence.tickets import Tickets
from persistence.verify import Finding, verify
from persistence.version_objects import VersionObjects
from persistence.versions import Versions

__all__ = ["OpenMode", "Store", "downgrade", "migrate", "utc_now"]


class OpenMode(Enum):
    """What a process wants of the database."""

    SERVER = auto()
    """To be the only server. Refused while there is another."""
    CLUSTER = auto()
    """To be one of several servers on a PostgreSQL, which hear of each other's edits through Redis."""
    COMMAND = auto()
    """To read and administrate beside a running server. May not append to the journal."""


class Store:
    """Everything that is kept. Made by ``Store.open``.

    Args:
        database: for everything but the journal's appends.
        group_commit: for those; None for a command.
        lock: the right to use an SQLite file.
        clock: the time written to rows, and what expires by.
    """

    def __init__(
        self, database: Database, group_commit: GroupCommit | None, lock: FileLock | None, clock: Clock
    ) -> None:
        self.database = database
        self._clock = clock
        self._group_commit = group_commit
        self._lock = lock
        self.journal = Journal(database, group_commit)
        self.checkpoints = Checkpoints(database, clock)
        self.keyframes = Keyframes(database, clock)
        self.prompts = Prompts(database, clock)
        self.projects = Projects(database, clock)
        self.accounts = Accounts(database, clock)
        self.tickets = Tickets(database, clock)
        self.refresh_tokens = RefreshTokens(database, clock)
        self.idempotency = Idempotency(database, clock)
        self.quarantine = Quarantine(database, clock)
        self.versions = Versions(database)
        self.version_objects = VersionObjects(database)
        self.labels = Labels(database, clock)
        self.imports = Imports(database, clock)

    @classmethod
    async def open(
        cls,
        database_url: str,
        *,
        mode: OpenMode = OpenMode.SERVER,
        clock: Clock = utc_now,
        lock_wait_seconds: float = sqlite.LOCK_WAIT_SECONDS,
        queue_bytes: int = group_commit.QUEUE_BYTES,
    ) -> Store:
        """Open the store. Does not migrate.

        Args:
            database_url: where the database is.
            mode: what this process wants of it.
            clock: the time written to rows, and what expires by.
            lock_wait_seconds: how long a transaction waits for another process's lock.
            queue_bytes: how many bytes of appends may wait for a commit.

        Raises:
            DatabaseUrlInvalid: the URL cannot be used.
            StoreInUse: another server has the database.
            SchemaOutdated: the database has another schema: migrate.
            StoreUnavailable: the database cannot be reached.
        """
        address = DatabaseAddress.parse(database_url)
        lock = _take_lock(address, mode)
        database = Database(address, lock_wait_seconds=lock_wait_seconds)
        writer: Writer | None = None
        try:
            await _check_schema(database)
            if mode is OpenMode.COMMAND:
                return cls(database, None, None, clock)
            writer = await _open_writer(database, mode)
        except BaseException:
            await database.close()
            if lock is not None:
                lock.release()
            raise
        queue = GroupCommit(writer, clock=clock, gate=database.gate, queue_bytes=queue_bytes)
        return cls(database, queue, lock, clock)

    async def bootstrap(self) -> Bootstrap:
        """Return the first organization, project and owner; create them in an empty database."""
        return await bootstrap.bootstrap(self.database, self._clock)

    async def ping(self) -> float:
        """Return how many seconds the database took to answer.

        Raises:
            StoreUnavailable: it did not.
        """
        return await self.database.ping()

    def verify(self) -> AsyncIterator[Finding]:
        """Yield what is wrong in the database; reads all of it. See ``persistence.verify``."""
        return verify(self.database)

    async def close(self) -> None:
        """Commit what waits, close every connection and let the next process in."""
        if self._group_commit is not None:
            await self._group_commit.close()
        await self.database.close()
        if self._lock is not None:
            self._lock.release()


def _take_lock(address: DatabaseAddress, mode: OpenMode) -> FileLock | None:
    if address.kind != "sqlite":
        return None
    if mode is OpenMode.CLUSTER:
        raise ValueError("an SQLite file belongs to one server; several need PostgreSQL")
    if not address.path.exists():
        # Opening it would create an empty file.
        raise SchemaOutdated(
            f"there is no database at {address.path}: run promptroom migrate, or say where it is by DATABASE_URL"
        )
    if mode is OpenMode.COMMAND:
        return None
    lock = FileLock(address.path)
    with store_errors():
        lock.take()
    return lock


async def _check_schema(database: Database) -> None:
    try:
        await check_schema(database)
    except StoreUnavailable as error:
        raise type(error)(f"the database {database.address.shown} cannot be used: {error}") from error


async def _open_writer(database: Database, mode: OpenMode) -> Writer:
    address = database.address
    if address.kind == "sqlite":
        return SqliteWriter(address.path, lock_wait_seconds=database.lock_wait_seconds)
    writer = PostgresWriter(
        address.dsn,
        address.shown,
        lock_wait_seconds=database.lock_wait_seconds,
        shared=mode is OpenMode.CLUSTER,
    )
    await writer.open()
    return writer
