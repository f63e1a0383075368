"""Those in a room who keep up with it, and the one loop that writes to all of them.

This loop is most of what a busy server does, so nothing in it is asked anew for each frame: whoever falls behind,
catches up, comes or goes says so, and the list is made again before the next frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from server.outbox import Frame


class Reader(Protocol):
    """A connection as its audience sees it."""

    @property
    def keeps_up(self) -> bool:
        """Whether it may be written to; whenever that changes it tells the audience."""

    @property
    def write(self) -> Callable[[Frame], None]:
        """Writes to its socket, while it keeps up."""


class Audience:
    """The readers of one room.

    Arguments: `readers` is everybody in the room, kept by its owner, who calls `changed` after every change.
    """

    __slots__ = ("_readers", "_writers", "all_written_at")

    def __init__(self, readers: Iterable[Reader]) -> None:
        self._readers = readers
        self._writers: list[tuple[Reader, Callable[[Frame], None]]] | None = None
        self.all_written_at = float("-inf")
        """When a frame last went to every reader."""

    def changed(self) -> None:
        """Somebody came, went, fell behind or caught up."""
        self._writers = None

    def write(self, frame: Frame, now: float, *, but_to: object | None = None) -> int:
        """Writes a frame to everybody who keeps up, except to one; answers to how many."""
        writers = self._writers
        if writers is None:
            writers = self._writers = [(reader, reader.write) for reader in self._readers if reader.keeps_up]
        if but_to is None:
            self.all_written_at = now
            for _, write in writers:
                write(frame)
            return len(writers)
        written = 0
        for reader, write in writers:
            if reader is not but_to:
                write(frame)
                written += 1
        return written
