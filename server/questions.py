"""How often one connection is answered.

A question (step 1, who is here) has ten bytes, and its answer may be a whole document. Clients ask when they connect;
whoever asks more often than that is answered later, and only once: a client only ever learns, so the answer to its last
question answers those before it.
"""

from __future__ import annotations

from server.limits import ANSWERS_PER_TICK


class Questions:
    """What one connection has asked and not been answered."""

    __slots__ = ("_left", "_postponed")

    def __init__(self) -> None:
        self._left = ANSWERS_PER_TICK
        self._postponed: bytes | None = None

    def may_be_answered(self) -> bool:
        """Takes one answer of this tick's share, and says whether there was one left."""
        self._left -= 1
        return self._left >= 0

    def postpone(self, state_vector: bytes) -> None:
        """Keeps the state vector of a step 1 for the next tick."""
        self._postponed = state_vector

    def tick(self) -> bytes | None:
        """Begins a new share; answers the state vector that was kept, if any."""
        self._left = ANSWERS_PER_TICK
        postponed, self._postponed = self._postponed, None
        return postponed
