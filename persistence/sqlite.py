"""How a connection to an SQLite file is set up, the same for every connection of the store."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

# Long enough for a backup or a migration step of another process to let go, short enough that a
# person typing is told "not saved" while she still remembers what she typed.
LOCK_WAIT_SECONDS = 2.0

# Write-ahead logging lets readers work while a commit is on its way to the disk. FULL makes each commit wait for
# the disk: with NORMAL, an acknowledged edit can be lost when the power goes.
# F_FULLFSYNC is what that takes on macOS; elsewhere the pragma does nothing.
# The log file is cut back to this size after a burst.
PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA fullfsync = ON",
    "PRAGMA foreign_keys = ON",
    "PRAGMA journal_size_limit = 67108864",
)


class _Connection(sqlite3.Connection):
    """Gives its lock back when it is closed.

    SQLite keeps a closed connection alive while a statement of it is: that of a request that was cancelled is,
    until its traceback is collected, and meanwhile nobody else could write.
    """

    def close(self) -> None:
        with suppress(sqlite3.Error):
            self.rollback()
        super().close()


def create_file(path: Path) -> None:
    """Create the directory and an empty database that only this user can read, unless they exist.

    Raises:
        OSError: the place cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # SQLite would create it readable by everybody, and it holds password hashes.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def connect(path: Path, lock_wait_seconds: float = LOCK_WAIT_SECONDS) -> sqlite3.Connection:
    """Open the file for a thread that owns the connection; transactions are begun by hand.

    Args:
        path: the database file.
        lock_wait_seconds: how long a statement waits for another connection's lock.

    Raises:
        sqlite3.Error: the file cannot be opened.
    """
    connection = sqlite3.connect(
        path, timeout=lock_wait_seconds, isolation_level=None, check_same_thread=False, factory=_Connection
    )
    try:
        for pragma in PRAGMAS:
            connection.execute(pragma).close()
    except BaseException:
        connection.close()
        raise
    return connection
