"""What happens to a PostgreSQL: it is away, or loses the processes that serve those who commit, while they do."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from enum import Enum
from random import Random
from typing import Any

import asyncpg

from persistence.address import DatabaseAddress
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer
from tests.support.waiting import wait_until

# The system ends a server with the thread that has started it: this one lasts as long as we do.
_STARTER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="starts-servers")

# Who would insert into the journal, and has to wait for a lock on it first.
_COMMITTING = """
SELECT pid FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE relation = 'journal'::regclass AND mode = 'RowExclusiveLock' AND NOT granted AND application_name = 'promptroom'
ORDER BY backend_start
"""
# Shorter than those wait who wait for us.
_LOCK_SECONDS = 3
_SEEN_SECONDS = 30.0


class Death(Enum):
    """How a backend ends.

    Terminated, as by an administrator, it says why. Killed, it takes all others with it, because PostgreSQL then no
    longer trusts the memory that they share, and recovers from its log.
    """

    TERMINATED = "terminated"
    KILLED = "killed"


async def start(server: PostgresServer | RedisServer) -> None:
    """Start a server, if it is not running, and wait until it answers, while everything else here goes on."""
    await asyncio.get_running_loop().run_in_executor(_STARTER, server.start)


async def stop_immediate(postgres: PostgresServer) -> None:
    """Stop PostgreSQL as a crash would, and wait until it has, while everything else here goes on."""
    await asyncio.to_thread(postgres.stop_immediate)


@asynccontextmanager
async def away(postgres: PostgresServer) -> AsyncIterator[None]:
    """Have PostgreSQL crash, and be there again at the end."""
    await stop_immediate(postgres)
    try:
        yield
    finally:
        await start(postgres)


async def kill_backends_in_commit(
    database_url: str, *, rng: Random, death: Death = Death.TERMINATED, probability: float = 1.0
) -> int:
    """Wait until somebody commits edits, and end the processes that serve them before they have committed.

    Commits are held up until one is seen; those that live on go on then.

    Args:
        database_url: The database, past all lines.
        rng: Decides who dies, of those who are committing.
        death: How they die.
        probability: That each of them does; at least one does.

    Returns:
        How many died.

    Raises:
        WaitedInVain: Nobody commits.
    """
    connection = await asyncpg.connect(DatabaseAddress.parse(database_url).dsn)
    try:
        await connection.execute(f"SET lock_timeout = '{_LOCK_SECONDS}s'; BEGIN; LOCK TABLE journal IN SHARE MODE")
        victims = _chosen(await _who_commits(connection), rng, probability)
        for victim in victims:
            await _end(connection, victim, death)
    finally:
        # Our own process may be gone too; if not, this gives the lock back.
        connection.terminate()
    return len(victims)


async def _who_commits(connection: "asyncpg.Connection[Any]") -> list[int]:
    committing: list[int] = []

    async def somebody_does() -> bool:
        committing[:] = [row["pid"] for row in await connection.fetch(_COMMITTING)]
        return bool(committing)

    await wait_until(somebody_does, what="somebody to commit", seconds=_SEEN_SECONDS)
    return committing


def _chosen(committing: list[int], rng: Random, probability: float) -> list[int]:
    chosen = [pid for pid in committing if rng.random() < probability]
    return chosen or [rng.choice(committing)]


async def _end(connection: "asyncpg.Connection[Any]", pid: int, death: Death) -> None:
    if death is Death.TERMINATED:
        await connection.execute("SELECT pg_terminate_backend($1)", pid)
        return
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
