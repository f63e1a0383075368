"""Transactions on either database, for everything but the journal's append.

    async with database.read() as connection: ...     a consistent view; changes nothing
    async with database.write() as connection: ...    committed when the block ends, rolled back when it raises

SQLite has one writer at a time. Instead of letting our own writers poll for its lock, they queue at
``database.gate``, which is fair; the group commit of the journal passes through the same gate.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import UTC, datetime
from typing import Any, TypeVar

import aiosqlite
import asyncpg
from sqlalchemy import event, text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from persistence import postgres, sqlite
from persistence.address import DatabaseAddress
from persistence.failures import store_errors
from persistence.gate import Gate

Clock = Callable[[], datetime]
C = TypeVar("C", aiosqlite.Connection, "asyncpg.Connection[Any]")

# Everything but the journal's append shares these; a request that finds none free waits this long.
POOL_CONNECTIONS = 8
POOL_WAIT_SECONDS = 10.0

_WRITES = "promptroom_writes"


def utc_now() -> datetime:
    """Return the present instant, aware and in UTC."""
    return datetime.now(UTC)


class Database:
    """An engine, and the discipline of its transactions.

    Args:
        address: where the database is.
        lock_wait_seconds: how long a statement waits for another process's lock.
        statement_seconds: how long a statement may take on PostgreSQL; None for as long as it does.
    """

    def __init__(
        self,
        address: DatabaseAddress,
        *,
        lock_wait_seconds: float = sqlite.LOCK_WAIT_SECONDS,
        statement_seconds: float | None = postgres.STATEMENT_SECONDS,
    ) -> None:
        self.address = address
        self.lock_wait_seconds = lock_wait_seconds
        self.gate = Gate()
        self._opened: set[aiosqlite.Connection | asyncpg.Connection[Any]] = set()
        self._turn_to_write: AbstractAsyncContextManager[None]
        if address.kind == "sqlite":
            self._turn_to_write = self.gate
            self.engine = _sqlite_engine(address, lock_wait_seconds, self._remember)
        else:
            self._turn_to_write = nullcontext()
            self.engine = _postgres_engine(address, lock_wait_seconds, statement_seconds, self._remember)

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is an SQLite file."""
        return self.address.kind == "sqlite"

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that only reads.

        Raises:
            StoreUnavailable: the database cannot be used now.
        """
        with store_errors():
            async with self.engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that is committed when the block ends and rolled back when it raises.

        Raises:
            StoreUnavailable: the database cannot be used now.
            Conflict: a constraint of the schema refused a row.
        """
        with store_errors():
            async with self._turn_to_write, self.engine.connect() as connection:
                await connection.execution_options(**{_WRITES: True})
                async with connection.begin():
                    yield connection

    async def ping(self) -> float:
        """Ask the database for an answer and return how many seconds it took.

        Raises:
            StoreUnavailable: there was none.
        """
        started = time.perf_counter()
        async with self.read() as connection:
            await connection.execute(text("SELECT 1"))
        return time.perf_counter() - started

    async def close(self) -> None:
        """Close every connection, of requests that are being cancelled too: the pool knows only of those at rest."""
        await self.engine.dispose()
        for connection in self._opened:
            if isinstance(connection, aiosqlite.Connection):
                await connection.close()
            else:
                connection.terminate()
        self._opened.clear()

    def _remember(self, connection: C) -> C:
        self._opened = {each for each in self._opened if _is_open(each)} | {connection}
        return connection


def _is_open(connection: aiosqlite.Connection | asyncpg.Connection[Any]) -> bool:
    if isinstance(connection, aiosqlite.Connection):
        return connection._running  # noqa: SLF001 - it has no other word for it
    return not connection.is_closed()


def _sqlite_engine(
    address: DatabaseAddress,
    lock_wait_seconds: float,
    remember: Callable[[aiosqlite.Connection], aiosqlite.Connection],
) -> AsyncEngine:
    async def connect() -> aiosqlite.Connection:
        # Opened here: aiosqlite leaves its thread behind when opening fails.
        opened = await asyncio.to_thread(sqlite.connect, address.path, lock_wait_seconds)
        connection = aiosqlite.Connection(lambda: opened, iter_chunk_size=64)
        # A process that ends without closing the store must not wait for this thread.
        connection._thread.daemon = True  # noqa: SLF001
        return remember(await connection)

    engine = create_async_engine(
        "sqlite+aiosqlite:///file",
        async_creator=connect,
        pool_size=POOL_CONNECTIONS,
        max_overflow=0,
        pool_timeout=POOL_WAIT_SECONDS,
    )

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and writes later fails at once when another one wrote in between;
        # one that takes the lock at its beginning waits for it.
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgres_engine(
    address: DatabaseAddress,
    lock_wait_seconds: float,
    statement_seconds: float | None,
    remember: Callable[[asyncpg.Connection[Any]], asyncpg.Connection[Any]],
) -> AsyncEngine:
    async def connect() -> asyncpg.Connection[Any]:
        return remember(await postgres.connect(address.dsn, lock_wait_seconds, statement_seconds=statement_seconds))

    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        pool_size=POOL_CONNECTIONS,
        max_overflow=0,
        pool_timeout=POOL_WAIT_SECONDS,
        # A server that was restarted leaves dead connections behind; asking first costs less than a failed request.
        pool_pre_ping=True,
    )
