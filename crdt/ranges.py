"""Sets of clock ranges: what a replica holds, has deleted, or an update writes.

Per client the set is one flat sorted list of boundaries, ``[start, end, start, end, …]``, with the
ranges disjoint and never touching.  The parity of an index then says whether it opens or closes a
range, and one slice assignment merges whatever a new range overlaps.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from crdt.columns import ColumnReader, ColumnWriter


class ClockRange(NamedTuple):
    """The structs ``start`` up to, not including, ``end`` of one client, in UTF-16 clock units."""

    client: int
    start: int
    end: int


class RangeSet:
    """A set of (client, clock) pairs, kept as merged ranges.

    Args:
        ranges: what it holds at first.
    """

    __slots__ = ("_boundaries",)

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __init__(self, ranges: Iterable[ClockRange] = ()) -> None:
        self._boundaries: dict[int, list[int]] = {}
        for client, start, end in ranges:
            self.add(client, start, end)

    def add(self, client: int, start: int, end: int) -> None:
        """Add the clocks from ``start`` up to, not including, ``end``; adding what is there changes nothing.

        Raises:
            ValueError: the range is empty or reversed.
        """
        if start >= end:
            raise ValueError(f"not a range: {start} to {end}")
        boundaries = self._boundaries.get(client)
        if boundaries is None:
            self._boundaries[client] = [start, end]
        elif start == boundaries[-1]:
            boundaries[-1] = end
        elif start > boundaries[-1]:
            boundaries += (start, end)
        else:
            _insert(boundaries, start, end)

    def covers(self, client: int, start: int, end: int) -> bool:
        """Whether every clock from ``start`` up to, not including, ``end`` is there; true of an empty range."""
        if start >= end:
            return True
        boundaries = self._boundaries.get(client)
        if boundaries is None:
            return False
        index = bisect_right(boundaries, start)
        return index % 2 == 1 and boundaries[index] >= end

    def copy(self) -> RangeSet:
        """A set of its own with the same ranges."""
        duplicate = RangeSet()
        duplicate._boundaries = {client: list(boundaries) for client, boundaries in self._boundaries.items()}
        return duplicate

    def write(self, columns: ColumnWriter) -> None:
        """Put down all ranges, for :meth:`read`."""
        columns.put_groups(self._boundaries)

    @classmethod
    def read(cls, columns: ColumnReader) -> RangeSet:
        """Take up what :meth:`write` put down."""
        ranges = cls()
        ranges._boundaries = columns.take_groups()
        return ranges

    def __iter__(self) -> Iterator[ClockRange]:
        """The ranges, by client and then by clock."""
        for client in sorted(self._boundaries):
            boundaries = self._boundaries[client]
            for index in range(0, len(boundaries), 2):
                yield ClockRange(client, boundaries[index], boundaries[index + 1])

    def __len__(self) -> int:
        """The number of ranges."""
        return sum(map(len, self._boundaries.values())) // 2

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RangeSet):
            return NotImplemented
        return self._boundaries == other._boundaries

    def __repr__(self) -> str:
        return f"RangeSet({list(self)!r})"


def _insert(boundaries: list[int], start: int, end: int) -> None:
    # An even index lies outside every range, so a boundary is new there; an odd one lies inside or
    # at the end of a range that the new one extends.
    first = bisect_left(boundaries, start)
    last = bisect_right(boundaries, end)
    replacement = []
    if first % 2 == 0:
        replacement.append(start)
    if last % 2 == 0:
        replacement.append(end)
    boundaries[first:last] = replacement
