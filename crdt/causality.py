"""What a replica knows, and updates that have to wait until it knows more.

The engine loses text when it is fed out of causal order, and what it keeps pending vanishes from its
state.  So nothing reaches it that is not ready, and readiness is decided here, without the engine.

Everything an update can need is of one kind: that some client's clock has been reached.  A struct
needs the clock before it, its origins and its parent; a deletion needs what it deletes.  A held-back
update therefore waits for one need at a time, in a heap beside the client it waits for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Generic, NamedTuple, TypeVar

from crdt.columns import ColumnReader, ColumnWriter
from crdt.errors import HoldBackFull
from crdt.landmarks import Landmarks
from crdt.ranges import RangeSet
from crdt.summary import UpdateSummary

T = TypeVar("T")


class Need(NamedTuple):
    """A client's clock that must have been reached, in UTF-16 units."""

    client: int
    clock: int


@dataclass(slots=True)
class Knowledge:
    """What a replica holds, kept without the engine.

    Args:
        state: the next clock of every client.
        deleted: everything that is deleted.
        landmarks: what an update can damage although it is ready.
    """

    state: dict[int, int] = field(default_factory=dict)
    deleted: RangeSet = field(default_factory=RangeSet)
    landmarks: Landmarks = field(default_factory=Landmarks, compare=False)

    @classmethod
    def of(cls, summary: UpdateSummary) -> Knowledge:
        """What a replica knows whose whole state was read as this summary."""
        knowledge = cls()
        knowledge.add(summary)
        return knowledge

    def is_known(self, summary: UpdateSummary) -> bool:
        """Whether applying the update would change nothing."""
        # Loops, not all(): this is asked of every update, and a generator costs twice the answer.
        known = self.state.get
        for client, _, end in summary.writes:
            if end > known(client, 0):
                return False
        for client, start, end in summary.deletes:  # noqa: SIM110 as above
            if not self.deleted.covers(client, start, end):
                return False
        return True

    def repeats(self, summary: UpdateSummary) -> bool:
        """Whether some of what the update writes is known already; :func:`crdt.document.beyond` leaves that out."""
        for client, start, _ in summary.writes:  # noqa: SIM110 as above
            if start < self.state.get(client, 0):
                return True
        return False

    def is_ready(self, summary: UpdateSummary) -> bool:
        """Whether everything is here that the update builds on."""
        return self.first_need(summary) is None

    def first_need(self, summary: UpdateSummary) -> Need | None:
        """Something that is missing before the update is ready, or nothing."""
        known = self.state.get
        written: dict[int, int] = {}
        for client, start, end in summary.writes:
            clock = written.get(client) or known(client, 0)
            if start > clock:
                return Need(client, start)
            written[client] = max(clock, end)
        for client, clock in summary.depends_on.items():
            if clock > (written.get(client) or known(client, 0)):
                return Need(client, clock)
        for client, _, end in summary.deletes:
            if end > (written.get(client) or known(client, 0)):
                return Need(client, end)
        return None

    def check(self, summary: UpdateSummary, *, is_stored: bool = False) -> None:
        """Refuse a ready update that the engine and browsers would make different texts of.

        Args:
            summary: what the strict reader found in it.
            is_stored: it was judged before, perhaps piece by piece, and may cost what all pieces together cost.

        Raises:
            UpdateError: with the code of the rule in :mod:`crdt.landmarks` that the update breaks.
        """
        self.landmarks.check(summary, is_stored=is_stored)

    def add(self, summary: UpdateSummary) -> None:
        """Take in what a ready update brings."""
        self.landmarks.add(summary)
        state = self.state
        for client, _, end in summary.writes:
            if end > state.get(client, 0):
                state[client] = end
        for client, start, end in summary.deletes:
            self.deleted.add(client, start, end)

    def copy(self) -> Knowledge:
        """Knowledge of its own with the same contents."""
        return Knowledge(dict(self.state), self.deleted.copy(), self.landmarks.copy())

    def write(self, columns: ColumnWriter) -> None:
        """Put down everything, for :meth:`read`."""
        columns.put_pairs(self.state.items())
        self.deleted.write(columns)
        self.landmarks.write(columns)

    @classmethod
    def read(cls, columns: ColumnReader) -> Knowledge:
        """Take up what :meth:`write` put down."""
        return cls(dict(columns.take_pairs()), RangeSet.read(columns), Landmarks.read(columns))


class Held(NamedTuple, Generic[T]):
    """An update that waits.

    Args:
        update: its bytes.
        summary: what the strict reader found in it.
        tag: whatever the holder wants back with it.
    """

    update: bytes
    summary: UpdateSummary
    tag: T


class HoldBack(Generic[T]):
    """Updates that are not ready yet, bounded.

    Args:
        max_updates: how many may wait.
        max_bytes: how many bytes their updates may have together.
    """

    def __init__(self, *, max_updates: int, max_bytes: int) -> None:
        self._max_updates = max_updates
        self._max_bytes = max_bytes
        self._arrived: list[Held[T]] = []
        # Per client a heap of: the clock it must reach, a number that keeps the order of arrival, what waits.
        self._waiting: dict[int, list[tuple[int, int, Held[T]]]] = {}
        self._placed = 0
        self._count = 0
        self._bytes = 0

    def __len__(self) -> int:
        """The number of updates that wait."""
        return self._count

    @property
    def total_bytes(self) -> int:
        """The size of all updates that wait, in bytes."""
        return self._bytes

    def hold(self, update: bytes, summary: UpdateSummary, tag: T) -> None:
        """Keep an update until it is ready.

        Args:
            update: its bytes.
            summary: what the strict reader found in it.
            tag: whatever shall come back with it.

        Raises:
            HoldBackFull: a bound would be exceeded; nothing was kept.
        """
        if self._count >= self._max_updates or self._bytes + len(update) > self._max_bytes:
            raise HoldBackFull(f"{self._count} updates of {self._bytes} bytes together are held back already")
        self._arrived.append(Held(update, summary, tag))
        self._count += 1
        self._bytes += len(update)

    def release(self, knowledge: Knowledge) -> list[Held[T]]:
        """Give up whatever has become ready, and whatever that in turn makes ready.

        Args:
            knowledge: what is known; it is not changed.

        Returns:
            Updates that are ready if applied in this order.
        """
        if not self._count:
            return []
        candidates = deque(self._arrived)
        self._arrived.clear()
        for client in tuple(self._waiting):
            candidates.extend(self._reached(client, knowledge.state.get(client, 0)))
        return self._ready_among(candidates, Knowledge(dict(knowledge.state))) if candidates else []

    def clear(self) -> None:
        """Forget everything that waits."""
        self._arrived.clear()
        self._waiting.clear()
        self._count = self._bytes = 0

    def _ready_among(self, candidates: deque[Held[T]], projected: Knowledge) -> list[Held[T]]:
        released = []
        while candidates:
            held = candidates.popleft()
            need = projected.first_need(held.summary)
            if need is not None:
                self._wait(held, need)
                continue
            released.append(held)
            projected.add(held.summary)
            for client in {client for client, _, _ in held.summary.writes}:
                candidates.extend(self._reached(client, projected.state[client]))
        self._count -= len(released)
        self._bytes -= sum(len(held.update) for held in released)
        return released

    def _wait(self, held: Held[T], need: Need) -> None:
        self._placed += 1
        heappush(self._waiting.setdefault(need.client, []), (need.clock, self._placed, held))

    def _reached(self, client: int, clock: int) -> Iterator[Held[T]]:
        """Take out what waited for this client to reach this clock or an earlier one."""
        heap = self._waiting.get(client)
        while heap and heap[0][0] <= clock:
            yield heappop(heap)[2]
        if heap is not None and not heap:
            del self._waiting[client]
