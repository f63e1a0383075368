"""A direction of a connection that can be held up, as a slow network does."""

from collections.abc import Callable, Iterable
from random import Random


class Way:
    """Passes frames on, or keeps them, in order, until they are released.

    Args:
        pass_on: Takes each frame when it is its turn.
    """

    def __init__(self, pass_on: Callable[[bytes], None]) -> None:
        self._pass_on = pass_on
        self._kept: list[bytes] = []
        self.held = False

    def take(self, frames: Iterable[bytes]) -> None:
        """Take frames from one end."""
        for frame in frames:
            if self.held:
                self._kept.append(frame)
            else:
                self._pass_on(frame)

    def release(self, shuffled_by: Random | None = None) -> None:
        """Let everything through, in order or in any order."""
        self.held = False
        kept, self._kept = self._kept, []
        if shuffled_by is not None:
            shuffled_by.shuffle(kept)
        self.take(kept)
