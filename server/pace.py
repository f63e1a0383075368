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

# Measured with 48 people typing 20 characters a second: see docs/decisions/0008.
PACE_SECONDS: Final = 0.005
# What a flush costs is spread over so many messages that one more or less makes no difference.
LARGE_BATCH: Final = 64


class Pace:
    """The rhythm of one room.

    Arguments: `flush` is called once for any number of calls of `ask`, in a later turn of the loop.
    """

    __slots__ = ("_flush", "_flushed_at", "_handle", "_is_soon", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop, flush: Callable[[], None]) -> None:
        self._loop = loop
        self._flush = flush
        self._flushed_at = loop.time() - PACE_SECONDS
        self._handle: asyncio.Handle | None = None
        self._is_soon = False

    def ask(self, messages: int) -> None:
        """Has the room flushed when it is time; `messages` is how many wait."""
        if self._is_soon:
            return
        due = self._flushed_at + PACE_SECONDS
        if messages >= LARGE_BATCH or due <= self._loop.time():
            self.hurry()
        elif self._handle is None:
            self._handle = self._loop.call_at(due, self._now)

    def hurry(self) -> None:
        """Has the room flushed in the next turn of the loop."""
        if not self._is_soon:
            self.close()
            self._is_soon = True
            self._handle = self._loop.call_soon(self._now)

    def close(self) -> None:
        """Calls nothing any more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self._is_soon = False

    def _now(self) -> None:
        self._handle = None
        self._is_soon = False
        self._flushed_at = self._loop.time()
        self._flush()
