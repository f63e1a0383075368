"""What a replica holds that an update can damage although it is well formed and ready.

Rules:

- **No surrogate pair is taken apart** (:mod:`crdt.pairs`).
- **Nothing is inserted where no editor can have inserted it** (:mod:`crdt.lineage`).
- **What stands in an embedded type finds a type there**, or what is left of one.  On anything else the
  engine raises, with the update half applied.

All of this depends on what is there, so the strict reader cannot see it: landmarks are kept beside a
replica's state, and asked before an update is taken in.
"""

from __future__ import annotations

from collections.abc import Mapping

from crdt.columns import ColumnReader, ColumnWriter
from crdt.errors import StateVectorError, UpdateError
from crdt.lineage import Lineage
from crdt.pairs import halves_pair, splits_pair
from crdt.ranges import RangeSet
from crdt.summary import PLAIN, Id, Place, Structure, UpdateSummary


class Landmarks:
    """The surrogate pairs, the embedded types and the neighbours in a replica.

    What is deleted stays marked until the replica is read anew; that refuses nothing an editor does.
    """

    __slots__ = ("_lineage", "_middles", "_remains")

    def __init__(self) -> None:
        self._lineage = Lineage()
        self._middles: dict[int, set[int]] = {}
        # What came when it was deleted already: whether it was a type, nobody knows any more.
        self._remains = RangeSet()

    def check(self, summary: UpdateSummary, *, is_stored: bool = False) -> None:
        """Refuse an update that would damage the replica.

        Args:
            summary: of an update that is causally ready.
            is_stored: it was judged before, perhaps piece by piece, and may cost what all pieces together cost.

        Raises:
            UpdateError: ``update_pair_split``, ``update_neighbours_impossible`` or ``update_parent_invalid``.
        """
        if summary.structure is not PLAIN:
            self._check_structure(summary.structure)
        if self._middles and (
            splits_pair(self._middles, summary.places) or halves_pair(self._middles, summary.deletes)
        ):
            raise _pair_split()
        if summary.places:
            self._lineage.check(summary, is_stored=is_stored)

    def check_state_vector(self, state: Mapping[int, int]) -> None:
        """Refuse a state vector that nobody can have: the diff from there would begin with half a pair.

        Args:
            state: the next clock of every client in somebody else's replica.

        Raises:
            StateVectorError: ``state_vector_splits_pair``.
        """
        if any(state.get(client, 0) in clocks for client, clocks in self._middles.items()):
            raise StateVectorError("a state vector ends inside a pair", code="state_vector_splits_pair")

    def add(self, summary: UpdateSummary) -> None:
        """Take in what an update brings."""
        for place in summary.places:
            if place.is_deleted:
                self._take_in_remains(place)
        for client, clocks in summary.structure.middles.items():
            # Of what is known already, an update may claim anything.
            known = self._lineage.end(client)
            self._middles.setdefault(client, set()).update(clock for clock in clocks if clock > known)
        self._lineage.add(summary)

    def copy(self) -> Landmarks:
        """Landmarks of its own with the same contents."""
        duplicate = Landmarks()
        duplicate._lineage = self._lineage.copy()
        duplicate._middles = {client: set(clocks) for client, clocks in self._middles.items()}
        duplicate._remains = self._remains.copy()
        return duplicate

    def write(self, columns: ColumnWriter) -> None:
        """Put down everything, for :meth:`read`."""
        self._lineage.write(columns)
        columns.put_groups({client: sorted(clocks) for client, clocks in self._middles.items()})
        self._remains.write(columns)

    @classmethod
    def read(cls, columns: ColumnReader) -> Landmarks:
        """Take up what :meth:`write` put down."""
        landmarks = cls()
        landmarks._lineage = Lineage.read(columns)
        landmarks._middles = {client: set(clocks) for client, clocks in columns.take_groups().items()}
        landmarks._remains = RangeSet.read(columns)
        return landmarks

    def _take_in_remains(self, place: Place) -> None:
        start = max(place.start, self._lineage.end(place.client))
        if start < place.end:
            self._remains.add(place.client, start, place.end)

    def _check_structure(self, structure: Structure) -> None:
        for client, clocks in structure.middles.items():
            # An update of which a part is known is cut at our clock.
            if self._lineage.end(client) in clocks:
                raise _pair_split()
        if not all(map(self._can_be_parent, structure.parents)):
            raise UpdateError("a struct stands in what is no type", code="update_parent_invalid")

    def _can_be_parent(self, place: Id) -> bool:
        client, clock = place
        return (
            # What is not here yet comes with the update, and has been judged by the reader.
            clock >= self._lineage.end(client)
            or self._lineage.has_type(place)
            or self._lineage.is_forgotten(place)
            or self._remains.covers(client, clock, clock + 1)
        )


def _pair_split() -> UpdateError:
    return UpdateError("a surrogate pair is taken apart", code="update_pair_split")
