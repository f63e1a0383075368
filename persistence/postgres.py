"""How a connection to PostgreSQL is set up, the same for every connection of the store."""

from __future__ import annotations

from typing import Any

import asyncpg

CONNECT_SECONDS = 5.0
# A statement of ours takes milliseconds; one that takes this long has lost its server.
STATEMENT_SECONDS = 30.0

# A peer that vanished without closing the connection is noticed, by either end, after about half a minute instead of
# two hours: until then its session would hold the lock of the database.
_KEEPALIVES = {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "4"}


async def connect(
    dsn: str, lock_wait_seconds: float, *, statement_seconds: float | None = STATEMENT_SECONDS
) -> asyncpg.Connection[Any]:
    """Open a connection whose commits are on disk when they return.

    Args:
        dsn: the address, as ``DatabaseAddress.dsn`` has it.
        lock_wait_seconds: how long a statement waits for another transaction's row lock.
        statement_seconds: how long a statement may take; None for one that may take as long as it does.

    Raises:
        OSError, TimeoutError, asyncpg.PostgresError: there is no server, or it refuses us.
    """
    return await asyncpg.connect(
        dsn,
        timeout=CONNECT_SECONDS,
        command_timeout=statement_seconds,
        server_settings={
            "application_name": "promptroom",
            "synchronous_commit": "on",
            # Nought would mean to wait for ever.
            "lock_timeout": str(max(1, round(lock_wait_seconds * 1000))),
            "timezone": "UTC",
            # No statement of ours runs long enough to be worth compiling; asyncpg's first look at the types
            # otherwise spends a quarter of a second on it, for each connection.
            "jit": "off",
            **_KEEPALIVES,
        },
    )
