"""Many appends, one commit.

While a commit is on its way to the disk, the appends of every room wait here; when it returns, all that
wait become the next one. So an idle server commits each edit alone and at once, and a busy one pays for one
`fsync` per group, with no timer and nothing to tune.

Rules:
- A future resolves after the commit returned, never before.
- Appends are committed in the order in which they were submitted.
- An append that is refused for its own reasons fails alone.
- When the database fails, the whole group fails, the group is not retried (its authors know best what is still worth
  saving), and the next group starts from a new connection.
- A cancelled future withdraws an append that still waits, and does nothing to one on its way to the disk.
- What waits is bounded in bytes.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from persistence.edits import Append
from persistence.engine import Clock
from persistence.errors import StoreError, StoreOverloaded, StoreUnavailable

# Four of the largest frames that a client may send, or some hundred thousand keystrokes.
QUEUE_BYTES = 32 * 1024 * 1024

_log = logging.getLogger(__name__)

Outcome = int | StoreError


class Writer(Protocol):
    """What turns a group into one transaction."""

    async def commit(self, group: Sequence[Append], now: datetime) -> list[Outcome]:
        """Commit the group and answer, for each append, its last seq or why it alone was refused.

        Raises:
            StoreError: nothing of the group is acknowledged.
        """

    async def close(self) -> None:
        """Close the connection; never raises."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    append: Append
    size: int
    future: asyncio.Future[int]


class GroupCommit:
    """The queue in front of a writer, and the one task that empties it.

    Args:
        writer: commits a group.
        clock: the time written to the rows.
        gate: held while a group is taken and committed, so that no other writer of this process is in the way.
        queue_bytes: how much may wait; an append that finds the queue empty is always taken.
    """

    def __init__(
        self,
        writer: Writer,
        *,
        clock: Clock,
        gate: AbstractAsyncContextManager[Any],
        queue_bytes: int = QUEUE_BYTES,
    ) -> None:
        self.writer = writer
        self._clock = clock
        self._gate = gate
        self._queue_bytes = queue_bytes
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._work = asyncio.Event()
        self._closing = False
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._run(), name="journal group commit")

    def submit(self, append: Append) -> asyncio.Future[int]:
        """Queue an append; the future resolves to its last seq once it is committed."""
        future: asyncio.Future[int] = self._loop.create_future()
        size = append.size
        if self._closing:
            future.set_exception(StoreUnavailable("the store is closed"))
        elif self._waiting and self._waiting_bytes + size > self._queue_bytes:
            future.set_exception(StoreOverloaded(f"{self._waiting_bytes} bytes are waiting to be committed"))
        else:
            self._waiting.append(_Waiting(append, size, future))
            self._waiting_bytes += size
            self._work.set()
        return future

    async def close(self) -> None:
        """Commit what waits, refuse what comes, close the writer."""
        self._closing = True
        self._work.set()
        await self._task
        await self.writer.close()

    async def _run(self) -> None:
        while self._waiting or not self._closing:
            # The task runs on the turn after the first append: everything that turn submits is in the group.
            await self._work.wait()
            # Passed once per group, so that other writers of this process get their turn between two groups.
            async with self._gate:
                self._work.clear()
                if group := self._take():
                    await self._commit(group)

    def _take(self) -> list[_Waiting]:
        group = [waiting for waiting in self._waiting if not waiting.future.cancelled()]
        self._waiting.clear()
        self._waiting_bytes = 0
        return group

    async def _commit(self, group: list[_Waiting]) -> None:
        appends = [waiting.append for waiting in group]
        outcomes: Sequence[Outcome]
        try:
            outcomes = await self.writer.commit(appends, self._clock())
        except StoreError as error:
            outcomes = [error] * len(group)
        except Exception:  # noqa: BLE001 - whatever it is
            # A defect must not end the task: every later edit would wait for ever.
            _log.exception("the journal could not commit a group of %d appends", len(group))
            outcomes = [StoreUnavailable("the commit failed unexpectedly")] * len(group)
        for waiting, outcome in zip(group, outcomes, strict=True):
            _resolve(waiting.future, outcome)


def _resolve(future: asyncio.Future[int], outcome: Outcome) -> None:
    if future.cancelled():
        return
    if isinstance(outcome, int):
        future.set_result(outcome)
    else:
        # One instance per future: a traceback belongs to one waiter.
        error = type(outcome)(*outcome.args)
        error.__cause__ = outcome.__cause__
        future.set_exception(error)
