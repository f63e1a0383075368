"""What one client inserted, compactly: between which neighbours each of its structs was put."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

from crdt.columns import ColumnReader, ColumnWriter, split
from crdt.summary import Id

# Clocks have 31 bits, so these stand for no clock.
_NOBODY: Final = 0xFFFFFFFF
_FORGOTTEN: Final = 0xFFFFFFFE


class Mark(NamedTuple):
    """How far a client's structs reached: the clock behind the last, and the number of runs."""

    end: int
    runs: int


class Runs:
    """Runs of structs of one client, of which each stands behind the one before and all have the same right one.

    Columns of machine integers: a document of a megabyte has tens of thousands of runs.

    Attributes:
        client: whose structs.
        end: the clock behind the last of them.
        starts: the clock at which each run starts.
    """

    __slots__ = (
        "_have_keys",
        "_left_clients",
        "_left_clocks",
        "_right_clients",
        "_right_clocks",
        "client",
        "end",
        "starts",
    )

    def __init__(self, client: int) -> None:
        self.client = client
        self.end = 0
        self.starts = array("I")
        self._have_keys = array("B")
        self._left_clients = array("Q")
        self._left_clocks = array("I")
        self._right_clients = array("Q")
        self._right_clocks = array("I")

    def index(self, clock: int) -> int:
        """The run that a clock belongs to."""
        return bisect_right(self.starts, clock) - 1

    def is_forgotten(self, run: int) -> bool:
        """Whether the neighbours of a run are no longer known."""
        return self._left_clocks[run] == _FORGOTTEN

    def has_key(self, run: int) -> bool:
        """Whether a run stands under a key, as in a map."""
        return bool(self._have_keys[run])

    def left(self, clock: int) -> Id | None:
        """The left neighbour of the struct at a clock."""
        run = bisect_right(self.starts, clock) - 1
        if clock > self.starts[run]:
            return self.client, clock - 1
        left_clock = self._left_clocks[run]
        return None if left_clock >= _FORGOTTEN else (self._left_clients[run], left_clock)

    def right(self, run: int) -> Id | None:
        """The right neighbour of a run."""
        right_clock = self._right_clocks[run]
        return None if right_clock == _NOBODY else (self._right_clients[run], right_clock)

    def next_in_run(self, clock: int) -> Id | None:
        """The struct behind the one at a clock, if both belong to the same run."""
        following = clock + 1
        if following >= self.end or self.index(following) != self.index(clock):
            return None
        return self.client, following

    def agrees_with(self, start: int, end: int, left: Id | None, right: Id | None) -> bool:
        """Whether structs that are here were put between these neighbours, as far as that is known."""
        run = self.index(start)
        return self.index(end - 1) == run and (
            self.is_forgotten(run) or (self.left(start), self.right(run)) == (left, right)
        )

    def is_continued_by(self, left: Id | None, right: Id | None) -> bool:
        """Whether what is put at the end, between these neighbours, belongs to the last run."""
        return (
            left is not None
            and left[1] == self.end - 1
            and left[0] == self.client
            and self._left_clocks[-1] != _FORGOTTEN
            and self.right(-1) == right
        )

    def append(self, left: Id | None, right: Id | None, end: int, *, has_key: bool) -> None:
        """Begin a run at the end, that reaches up to a new end."""
        self._append(left or (0, _NOBODY), right or (0, _NOBODY), has_key=has_key)
        self.end = end

    def forget_until(self, clock: int) -> None:
        """Take in structs of which no neighbours are known."""
        if clock <= self.end:
            return
        if not self.end or self._left_clocks[-1] != _FORGOTTEN:
            self._append((0, _FORGOTTEN), (0, _NOBODY), has_key=False)
        self.end = clock

    def mark(self) -> Mark:
        """Where :meth:`cut` shall cut."""
        return Mark(self.end, len(self.starts))

    def cut(self, mark: Mark) -> None:
        """Take back what was appended since the mark."""
        self.end = mark.end
        for column in self._columns():
            del column[mark.runs :]

    def copy(self) -> Runs:
        """Runs of its own with the same contents."""
        duplicate = Runs(self.client)
        duplicate.end = self.end
        duplicate._extend(self)
        return duplicate

    @staticmethod
    def write(columns: ColumnWriter, clients: Collection[Runs]) -> None:
        """Put down the runs of all clients together, for :meth:`read`: most clients have few."""
        columns.put([runs.client for runs in clients])
        columns.put([runs.end for runs in clients])
        columns.put([len(runs.starts) for runs in clients])
        together = Runs(0)
        for runs in clients:
            together._extend(runs)
        for column in together._columns():
            columns.put(column)

    @staticmethod
    def read(columns: ColumnReader) -> Iterator[Runs]:
        """Take up what :meth:`write` put down."""
        clients, ends, sizes = columns.take(), columns.take(), columns.take()
        together = Runs(0)
        for column in together._columns():
            columns.take_into(column)
        parts = zip(*(split(column, sizes) for column in together._columns()), strict=True)
        for client, end, own in zip(clients, ends, parts, strict=True):
            runs = Runs(client)
            runs.end = end
            for column, part in zip(runs._columns(), own, strict=True):
                column.extend(part)
            yield runs

    def _append(self, left: Id, right: Id, *, has_key: bool) -> None:
        self.starts.append(self.end)
        self._have_keys.append(has_key)
        self._left_clients.append(left[0])
        self._left_clocks.append(left[1])
        self._right_clients.append(right[0])
        self._right_clocks.append(right[1])

    def _extend(self, other: Runs) -> None:
        for column, source in zip(self._columns(), other._columns(), strict=True):
            column.extend(source)

    def _columns(self) -> tuple[array[int], ...]:
        return (
            self.starts,
            self._have_keys,
            self._left_clients,
            self._left_clocks,
            self._right_clients,
            self._right_clocks,
        )
