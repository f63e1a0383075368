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
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

from persistence.edits import Append
from persistence.engine import Clock
from persistence.errors import StoreError, StoreOverloaded, StoreUnavailable
from persistence.gate import Gate

# Four of the largest frames that a client may send, or some hundred thousand keystrokes.
QUEUE_BYTES = 32 * 1024 * 1024

_log = logging.getLogger(__name__)

Outcome = int | StoreError


class Writer(Protocol):
    """What turns a group into one transaction."""

    def commit(self, group: Sequence[Append], now: datetime) -> asyncio.Future[list[Outcome]]:
        """Start to commit the group; the future answers, for each append, its last seq or why it alone was refused.

        Where it fails with a StoreError, nothing of the group is acknowledged.
        """

    async def close(self) -> None:
        """Close the connection; never raises."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    append: Append
    size: int
    future: asyncio.Future[int]


class GroupCommit:
    """The queue in front of a writer.

    Args:
        writer: commits a group.
        clock: the time written to the rows.
        gate: held while a group is taken and committed, so that no other writer of this process is in the way.
        queue_bytes: how much may wait; an append that finds the queue empty is always taken.
    """

    def __init__(self, writer: Writer, *, clock: Clock, gate: Gate, queue_bytes: int = QUEUE_BYTES) -> None:
        self.writer = writer
        self._clock = clock
        self._gate = gate
        self._queue_bytes = queue_bytes
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._loop = asyncio.get_running_loop()
        self._closing = False
        # Done while nothing waits and nothing is on its way.
        self._idle: asyncio.Future[None] = self._loop.create_future()
        self._idle.set_result(None)
        self._turn: asyncio.Task[None] | None = None

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
            if self._idle.done():
                self._idle = self._loop.create_future()
                # On the turn after the first append: everything that this turn submits is in the group.
                self._loop.call_soon(self._begin)
        return future

    async def close(self) -> None:
        """Commit what waits, refuse what comes, close the writer."""
        self._closing = True
        await self._idle
        await self.writer.close()

    def _begin(self) -> None:
        # Passed once per group, so that other writers of this process get their turn between two groups.
        if self._gate.take_at_once():
            self._commit()
        else:
            self._turn = self._loop.create_task(self._wait_for_turn(), name="journal group commit")

    async def _wait_for_turn(self) -> None:
        await self._gate.take()
        self._commit()

    def _commit(self) -> None:
        group = [waiting for waiting in self._waiting if not waiting.future.cancelled()]
        self._waiting.clear()
        self._waiting_bytes = 0
        if not group:
            self._go_on()
            return
        try:
            committed = self.writer.commit([waiting.append for waiting in group], self._clock())
        except Exception as error:  # noqa: BLE001 - a defect, as in `_outcomes`
            committed = self._loop.create_future()
            committed.set_exception(error)
        committed.add_done_callback(partial(self._committed, group))

    def _committed(self, group: Sequence[_Waiting], committed: asyncio.Future[list[Outcome]]) -> None:
        for waiting, outcome in zip(group, _outcomes(committed, len(group)), strict=True):
            _resolve(waiting.future, outcome)
        self._go_on()

    def _go_on(self) -> None:
        self._gate.release()
        if self._waiting:
            self._begin()
        else:
            self._idle.set_result(None)


def _outcomes(committed: asyncio.Future[list[Outcome]], count: int) -> Sequence[Outcome]:
    error = StoreUnavailable("the commit was given up") if committed.cancelled() else committed.exception()
    if error is None:
        return committed.result()
    if not isinstance(error, StoreError):
        # A defect must not end the queue: every later edit would wait for ever.
        _log.error("the journal could not commit a group of %d appends", count, exc_info=error)
        error = StoreUnavailable("the commit failed unexpectedly")
    return [error] * count


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
