"""One thread that owns one SQLite connection.

Every statement run through aiosqlite is a hop to a thread and back. Here a whole function is the hop, so that a
group commit costs one.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from persistence import sqlite

Result = TypeVar("Result")

_Work = Callable[[], None]


class SqliteThread:
    """Runs functions, one after another, with the connection it owns.

    The connection is opened when it is first needed and opened anew after ``discard``.

    Args:
        path: the database file.
        lock_wait_seconds: how long a statement waits for another connection's lock.
    """

    def __init__(self, path: Path, *, lock_wait_seconds: float) -> None:
        self._path = path
        self._lock_wait_seconds = lock_wait_seconds
        self._connection: sqlite3.Connection | None = None
        self._work: SimpleQueue[_Work | None] = SimpleQueue()
        # A daemon, so that a process that ends without closing the store ends.
        self._thread = threading.Thread(target=self._run, name="sqlite writer", daemon=True)
        self._thread.start()

    def run(self, function: Callable[[sqlite3.Connection], Result]) -> asyncio.Future[Result]:
        """Run ``function`` with the connection and return a future of its result.

        A cancelled future does not stop the function.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()

        def work() -> None:
            try:
                result = function(self._open())
            except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits for the future
                _deliver(loop, partial(_fail, future, error))
            else:
                _deliver(loop, partial(_succeed, future, result))

        self._work.put(work)
        return future

    def discard(self) -> None:
        """Close the connection; the next function gets a new one. Only called by a running function."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            with suppress(sqlite3.Error):
                connection.close()

    async def close(self) -> None:
        """Finish what was handed in, close the connection and end the thread."""
        self._work.put(self.discard)
        self._work.put(None)
        await asyncio.to_thread(self._thread.join)

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = sqlite.connect(self._path, self._lock_wait_seconds)
        return self._connection

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            work()


def _deliver(loop: asyncio.AbstractEventLoop, settle: Callable[[], None]) -> None:
    # The loop may have been closed under us at the end of the process; then nobody waits.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(settle)


def _succeed(future: asyncio.Future[Result], result: Result) -> None:
    if not future.cancelled():
        future.set_result(result)


def _fail(future: asyncio.Future[Result], error: BaseException) -> None:
    if not future.cancelled():
        future.set_exception(error)
