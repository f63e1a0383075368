"""The life of a room.

States
    loading   the document is being built from the store, at first or after a doubt. What members send is dropped: they
              are asked for a sync step once the room is live, and send again what is not in the journal.
    live      updates are admitted, committed, shown and acknowledged, in this order and never otherwise.
    draining  nothing is admitted any more; what is on its way is committed, shown and acknowledged.
    closed    the end.

    loading → live            the stored prompt is rebuilt
    live → loading            a commit failed, the engine failed, the journal holds what does not go together with what
                              is on its way, another node has another document, or this process was away: memory is
                              thrown away and rebuilt, which is the only way back from any doubt
    live → draining → closed  nobody is here any more, the prompt is deleted, or the server stops
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class RoomState(StrEnum):
    """Where a room is in its life."""

    LOADING = "loading"
    LIVE = "live"
    DRAINING = "draining"
    CLOSED = "closed"

    @property
    def has_memory(self) -> bool:
        """Whether the room shows what is committed."""
        return self in {RoomState.LIVE, RoomState.DRAINING}


class Doubt(StrEnum):
    """Why a room threw its memory away."""

    STORE = "store_unavailable"
    ENGINE = "engine_failed"
    JOURNAL_MOVED = "journal_moved"
    CHECKPOINT = "checkpoint_differs"
    DIVERGED = "document_diverged"
    PAUSED = "process_was_away"


@dataclass(frozen=True, slots=True)
class Timing:
    """What time it is, and what is done for a room when.

    Arguments: `clock` answers seconds that only go forward, `wall_clock` seconds since the epoch; `idle_seconds` is how
    long an empty room stays loaded, `quiet_seconds` after how long without an edit a version is made (0: never).
    """

    clock: Callable[[], float]
    wall_clock: Callable[[], float]
    idle_seconds: float
    quiet_seconds: float
