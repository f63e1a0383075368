"""What is committed and not shown yet, in the order of the journal.

Several nodes append to one journal, and hear of each other's appends in any order: an envelope is lost or late, the
answer of one's own commit is overtaken. Everything is shown in the order of its sequence numbers, so it waits here
until what came before it is shown.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from server.errors import StoreUnavailable
from server.limits import ARRIVALS_BYTES, MAX_ARRIVALS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from crdt.update import UpdateSummary
    from server.inbox import Batch


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Updates that another node committed, as they were heard of or read from the journal.

    `summaries` are what the strict reader finds in each; `bindings` are client ids and the users who wrote under them.
    """

    first_seq: int
    last_seq: int
    updates: tuple[bytes, ...]
    summaries: tuple[UpdateSummary, ...]
    bindings: Mapping[int, UUID]

    @property
    def size(self) -> int:
        """Bytes of the updates."""
        return sum(map(len, self.updates))


@dataclass(frozen=True, slots=True)
class Ours:
    """A batch of this node that is committed."""

    first_seq: int
    last_seq: int
    batch: Batch

    @property
    def size(self) -> int:
        """Nothing: it is kept by the room in any case."""
        return 0


class Arrivals:
    """What waits for its turn, bounded, and who waits for it; `known_seq` is how far the journal reaches at least."""

    def __init__(self) -> None:
        self.known_seq = 0
        self._waiting: dict[int, Elsewhere | Ours] = {}
        self._size = 0
        self._reached: dict[asyncio.Future[None], int] = {}

    @property
    def gap_ends(self) -> int | None:
        """The lowest sequence number that waits: something before it is missing."""
        return min(self._waiting, default=None)

    def add(self, arrival: Elsewhere | Ours, *, is_next: bool = False) -> None:
        """Takes what was committed. Where too much waits, what others committed is left out: the journal has it.

        What `is_next` to be shown does not wait, and what waits waits for it: it is taken in any case.
        """
        self.known_seq = max(self.known_seq, arrival.last_seq)
        if isinstance(arrival, Elsewhere):
            fits = len(self._waiting) < MAX_ARRIVALS and self._size + arrival.size <= ARRIVALS_BYTES
            if not (fits or is_next) or arrival.first_seq in self._waiting:
                return
            self._size += arrival.size
        self._waiting[arrival.first_seq] = arrival

    def take(self, head_seq: int) -> Elsewhere | Ours | None:
        """Answers what comes right behind a head, if it is here; forgets what lies before it."""
        if not self._waiting:
            return None
        for first_seq in [first_seq for first_seq in self._waiting if first_seq <= head_seq]:
            self._remove(first_seq)
        return self._remove(head_seq + 1) if head_seq + 1 in self._waiting else None

    async def wait_for(self, seq: int) -> None:
        """Returns when everything up to a seq is shown. Raises StoreUnavailable where that cannot be told now."""
        shown: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reached[shown] = seq
        await shown

    def shown(self, head_seq: int) -> None:
        """Everything up to a head is shown."""
        if self._reached:
            for reached in [reached for reached, seq in self._reached.items() if seq <= head_seq]:
                del self._reached[reached]
                if not reached.done():
                    reached.set_result(None)

    def clear(self) -> None:
        """Forgets everything, also how far the journal reached; those who wait have to come again."""
        self.known_seq = 0
        self._waiting.clear()
        self._size = 0
        reached, self._reached = self._reached, {}
        for each in reached:
            if not each.done():
                each.set_exception(StoreUnavailable())

    def _remove(self, first_seq: int) -> Elsewhere | Ours:
        arrival = self._waiting.pop(first_seq)
        self._size -= arrival.size
        return arrival
