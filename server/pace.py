"""When a room's waiting edits are handed to the journal.

An edit that comes into a quiet room goes at once. Where edits follow each other quickly they wait until the last flush
is a pace ago: each flush costs a commit and a write to every socket, whatever it carries, and nobody sees the
difference of a few milliseconds. A batch that is large already gains nothing by waiting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

# Two people who type in turn should not wait for each other; from forty readers on a flush is worth a pause.
PACE_SECONDS_PER_READER: Final = 100e-6
PACE_SECONDS: Final = 0.004
# A write to a socket takes 5 to 8 µs: in the largest rooms, writing to all is left a third of the time.
PACE_SECONDS_PER_WRITE: Final = 20e-6
# A flush to many that carries less than a few messages hardly pays. Where more will come within moments, it waits.
FEW_MESSAGES: Final = 3
MOMENTS_SECONDS: Final = 0.015
PACE_OF_FEW_SECONDS_PER_READER: Final = 500e-6
LONGEST_PACE_OF_FEW_SECONDS: Final = 0.025
# How much the last flush counts in what is expected of the next.
_LAST_FLUSH_COUNTS: Final = 0.2
# What a flush costs is spread over so many messages that one more or less makes no difference.
LARGE_BATCH: Final = 64


class Pace:
    """The rhythm of one room.

    Arguments: `flush` is called once for any number of calls of `ask`, in a later turn of the loop.
    """

    __slots__ = ("_due", "_flush", "_flushed_at", "_gap", "_handle", "_loop", "_messages")

    def __init__(self, loop: asyncio.AbstractEventLoop, flush: Callable[[], None]) -> None:
        self._loop = loop
        self._flush = flush
        self._flushed_at = float("-inf")
        self._due = 0.0
        self._messages = 0
        # Seconds between two messages, as they came lately.
        self._gap = 1.0
        self._handle: asyncio.Handle | None = None

    def ask(self, messages: int, readers: int) -> None:
        """Has the room flushed when it is time; `messages` is how many wait, `readers` how many will be written to."""
        self._messages = messages
        if self._handle is not None and self._due <= self._flushed_at:
            return
        due = self._flushed_at + self._pace(readers)
        if self._handle is None or due < self._due:
            self._plan(due)

    def hurry(self) -> None:
        """Has the room flushed in the next turn of the loop."""
        self._plan(self._flushed_at)

    def close(self) -> None:
        """Calls nothing any more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _plan(self, due: float) -> None:
        self.close()
        self._due = due
        if due <= self._loop.time():
            self._due = self._flushed_at
            self._handle = self._loop.call_soon(self._now)
        else:
            self._handle = self._loop.call_at(due, self._now)

    def _pace(self, readers: int) -> float:
        """Answers how many seconds after a flush the next one may be."""
        if self._messages >= LARGE_BATCH:
            return 0.0
        pace = max(min(readers * PACE_SECONDS_PER_READER, PACE_SECONDS), readers * PACE_SECONDS_PER_WRITE)
        if self._messages < FEW_MESSAGES and self._gap <= MOMENTS_SECONDS:
            return max(pace, min(readers * PACE_OF_FEW_SECONDS_PER_READER, LONGEST_PACE_OF_FEW_SECONDS))
        return pace

    def _now(self) -> None:
        self._handle = None
        now = self._loop.time()
        # After a rest everything is new.
        gap = min((now - self._flushed_at) / max(self._messages, 1), 1.0)
        self._gap += _LAST_FLUSH_COUNTS * (gap - self._gap)
        self._flushed_at = now
        self._flush()
