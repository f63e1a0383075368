"""When a room flushes, as `server/pace.py` has it; a test holds the numbers against those."""

from __future__ import annotations

from typing import Final

PACE_SECONDS_PER_READER: Final = 100e-6
PACE_SECONDS: Final = 0.004
PACE_SECONDS_PER_WRITE: Final = 20e-6
FEW_MESSAGES: Final = 3
MOMENTS_SECONDS: Final = 0.015
PACE_OF_FEW_SECONDS_PER_READER: Final = 500e-6
LONGEST_PACE_OF_FEW_SECONDS: Final = 0.025
LAST_FLUSH_COUNTS: Final = 0.2
LARGE_BATCH: Final = 64


class Rhythm:
    """Of one room."""

    __slots__ = ("_flushed_at", "_gap", "_planned")

    def __init__(self) -> None:
        self._flushed_at = float("-inf")
        self._gap = 1.0
        self._planned = float("-inf")

    def due(self, messages: int, readers: int) -> float:
        """When the room may be flushed in which so many messages wait and that so many read."""
        if messages >= LARGE_BATCH:
            return self._flushed_at
        pace = max(min(readers * PACE_SECONDS_PER_READER, PACE_SECONDS), readers * PACE_SECONDS_PER_WRITE)
        if messages < FEW_MESSAGES and self._gap <= MOMENTS_SECONDS:
            pace = max(pace, min(readers * PACE_OF_FEW_SECONDS_PER_READER, LONGEST_PACE_OF_FEW_SECONDS))
        return self._flushed_at + pace

    def plans(self, due: float) -> bool:
        """Whether a timer has to be set for that time; not where an earlier one is set."""
        if self._flushed_at < self._planned <= due:
            return False
        self._planned = due
        return True

    def flushed(self, now: float, messages: int) -> None:
        """The room was flushed."""
        gap = min((now - self._flushed_at) / max(messages, 1), 1.0)
        self._gap += LAST_FLUSH_COUNTS * (gap - self._gap)
        self._flushed_at = now
