"""The order of everything in a replica, kept without its content, to tell what no editor can have inserted.

An editor inserts between two structs that stand side by side in what it has seen: the left one has come
before the right one ever since.  A struct that claims neighbours in another order, or of two lists, is
integrated differently by Yjs and by the engine, and differently again when the document is read anew:
texts differ for ever, or browsers throw.

The order is that of a tree.  Every struct is a branch of its left neighbour, or of its list if it had
none; all that grows from a branch stands together, behind it and before its next sibling.  So *left*
comes before *right* where right is the next thing in left's tree or in that of an ancestor of left:

- without a left neighbour, right has none either; without a right neighbour, left has none either;
- otherwise what right grows from is left or one of its ancestors, and of the two branches that part there
  left's comes first.

That holds of any two that stand side by side, so nothing an editor does is refused.  Of what was deleted
together with the embedded type it stood in, the order is no longer known.

Source: Nicolaescu et al., "Near Real-Time Peer-to-Peer Shared Editing on Extensible Data Types" (YATA);
Yjs ``structs/Item.js``, ``integrate``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from crdt.branches import Branches, Origin, Taken
from crdt.columns import ColumnReader, ColumnWriter
from crdt.errors import UpdateError
from crdt.homes import read_homes, write_homes
from crdt.nesting import Nesting
from crdt.ranges import RangeSet
from crdt.runs import Mark, Runs
from crdt.summary import Home, Id, Place, UpdateSummary

# Steps along neighbours and branches that judging one update may cost, about 50 ms, and for each of its
# structs as many more as its other costs come to.  Honest structs need one or two on the average.
MAX_STEPS: Final = 50_000
STEPS_PER_STRUCT: Final = 10
UNBOUNDED: Final = sys.maxsize


class Lineage:
    """The order of everything in a replica."""

    __slots__ = ("_branches", "_homes", "_nesting", "_runs", "_steps")

    def __init__(self) -> None:
        self._runs: dict[int, Runs] = {}
        self._branches = Branches(self._right)
        self._homes: dict[Id, Home] = {}
        self._nesting = Nesting()
        self._steps = 0

    def check(self, summary: UpdateSummary, *, is_stored: bool = False) -> None:
        """Refuse what no editor can have inserted.

        Args:
            summary: of an update that is causally ready.
            is_stored: it was judged before, perhaps piece by piece, and may cost what all pieces together cost.

        Raises:
            UpdateError: ``update_neighbours_impossible`` or ``update_nested_too_deep``.
        """
        places = summary.places
        self._steps = UNBOUNDED if is_stored else MAX_STEPS + STEPS_PER_STRUCT * len(places)
        runs = self._runs.get(places[0].client) if len(places) == len(summary.writes) == 1 else None
        if runs is not None and places[0].start == runs.end and not summary.structure.types:
            # The usual case, and the usual one of it: what is typed goes on with what was typed.
            _, _, _, left, right, _ = place = places[0]
            possible = self._can_stand([place], summary) and (
                runs.is_continued_by(left, right) or self._can_part(left, right)
            )
        else:
            possible = self._are_possible(summary)
        if not possible:
            raise UpdateError("a struct claims neighbours that it cannot have", code="update_neighbours_impossible")

    def add(self, summary: UpdateSummary) -> None:
        """Take in what an update inserts."""
        new_types = self._new_types(summary)
        for place in summary.places:
            self._take_in(place, summary.structure.homes)
        for client, _, end in summary.writes:
            self._of(client).forget_until(end)
        if new_types:
            self._steps = UNBOUNDED
            self._nesting.take_in(new_types, summary.places, self._home)

    def end(self, client: int) -> int:
        """The clock behind the last struct of a client."""
        runs = self._runs.get(client)
        return 0 if runs is None else runs.end

    def has_type(self, place: Id) -> bool:
        """Whether there is an embedded type, or was when the replica was read."""
        return place in self._nesting

    def copy(self) -> Lineage:
        """A lineage of its own with the same contents."""
        duplicate = Lineage()
        duplicate._runs = {client: runs.copy() for client, runs in self._runs.items()}
        duplicate._branches.update(self._branches)
        duplicate._homes = dict(self._homes)
        duplicate._nesting.update(self._nesting)
        return duplicate

    def write(self, columns: ColumnWriter) -> None:
        """Put down everything, for :meth:`read`."""
        Runs.write(columns, self._runs.values())
        self._branches.write(columns)
        columns.put_pairs(self._homes)
        write_homes(columns, self._homes.values())
        self._nesting.write(columns)

    @classmethod
    def read(cls, columns: ColumnReader) -> Lineage:
        """Take up what :meth:`write` put down."""
        lineage = cls()
        lineage._runs = {runs.client: runs for runs in Runs.read(columns)}
        lineage._branches = Branches.read(columns, lineage._right)
        lineage._homes = dict(zip(columns.take_pairs(), read_homes(columns), strict=True))
        lineage._nesting = Nesting.read(columns)
        return lineage

    # --- taking in

    def _of(self, client: int) -> Runs:
        runs = self._runs.get(client)
        if runs is None:
            runs = self._runs[client] = Runs(client)
        return runs

    def _take_in(self, place: Place, homes: Mapping[Id, Home]) -> Taken | None:
        """Take in what is new of a place; return how it is kept among the branches, if it is."""
        client, start, end, left, right, _ = place
        runs = self._of(client)
        if start != runs.end:
            # What lies between was deleted together with the type that it stood in.
            runs.forget_until(start)
            if end <= runs.end:
                return None
            if start < runs.end:
                left = client, runs.end - 1
        branch = client, runs.end
        if runs.is_continued_by(left, right):
            runs.end = end
            if left is None or left not in self._branches:
                return None
        else:
            runs.append(left, right, end, has_key=self._has_key(left, right, homes.get(branch)))
        origin = self._origin(branch, left, right, homes)
        if origin is None:
            return None
        is_first = origin not in self._branches
        if is_first:
            first = None if left is None else self._runs[left[0]].next_in_run(left[1])
            self._branches.begin(origin, None if first == branch else first)
        steps = self._branches.insert(origin, branch, right)
        return Taken(origin, branch, is_first, steps)

    def _has_key(self, left: Id | None, right: Id | None, home: Home | None) -> bool:
        neighbour = left or right
        if neighbour is None:
            return home is not None and home[1] is not None
        runs = self._runs.get(neighbour[0])
        return runs is not None and neighbour[1] < runs.end and runs.has_key(runs.index(neighbour[1]))

    def _origin(self, branch: Id, left: Id | None, right: Id | None, homes: Mapping[Id, Home]) -> Origin | None:
        """What a branch grows from, unless that is forgotten."""
        if left is not None:
            return None if self.is_forgotten(left) else left
        home = homes.get(branch) if right is None else self._homes.get(right)
        if home is not None:
            self._homes[branch] = home
        return home

    def _new_types(self, summary: UpdateSummary) -> frozenset[Id]:
        types = summary.structure.types
        return frozenset((client, clock) for client, clock in types if clock >= self.end(client)) if types else types

    def _home(self, place: Id) -> Home | None:
        """What the list stands in that a struct belongs to, unless that is forgotten."""
        next_place: Id | None = place
        while next_place is not None:
            self._step(1)
            client, clock = next_place
            runs = self._runs[client]
            start = runs.starts[runs.index(clock)]
            place, next_place = (client, start), runs.left(start)
        return self._homes.get(place)

    # --- judging

    def _are_possible(self, summary: UpdateSummary) -> bool:
        # Structs of one update may be each other's neighbours, so all are taken in before any is judged.
        marks = {client: self._of(client).mark() for client, _, _ in summary.writes}
        new_types = self._new_types(summary)
        taken: list[Taken] = []
        try:
            self._take_in_all(summary, taken)
            self._nesting.take_in(new_types, summary.places, self._home)
            if self._nesting.are_too_deep(new_types):
                raise UpdateError("types are nested too deep", code="update_nested_too_deep")
            return (
                self._are_at_home(summary.structure.homes)
                and all(map(self._is_possible, summary.places))
                and self._can_stand(summary.places, summary)
            )
        finally:
            self._take_back(marks, taken, new_types)

    def _take_in_all(self, summary: UpdateSummary, taken: list[Taken]) -> None:
        for place in summary.places:
            branch = self._take_in(place, summary.structure.homes)
            if branch is not None:
                taken.append(branch)
                self._step(branch.steps)
        for client, _, end in summary.writes:
            self._runs[client].forget_until(end)

    def _take_back(self, marks: Mapping[int, Mark], taken: Sequence[Taken], types: Iterable[Id]) -> None:
        self._nesting.take_back(types)
        for client, mark in marks.items():
            self._runs[client].cut(mark)
            if not mark.end:
                del self._runs[client]
        for origin, branch, is_first, _ in reversed(taken):
            self._homes.pop(branch, None)
            if is_first:
                self._branches.forget(origin)
            else:
                self._branches.remove(origin, branch)

    def _are_at_home(self, homes: Mapping[Id, Home]) -> bool:
        """Whether what is known of first structs agrees with what is claimed of them now."""
        return all(self.is_forgotten(first) or self._homes.get(first) == home for first, home in homes.items())

    def _can_stand(self, places: Sequence[Place], summary: UpdateSummary) -> bool:
        """Whether the lists take them: a key has one value, for browsers cannot split what stands under one.

        Deleted values that somebody keeps to undo come together, and are deleted by the same update.
        """
        homes = summary.structure.homes
        several = [
            place
            for place in places
            if place.end - place.start > 1
            and not place.is_deleted
            and self._has_key(place.left, place.right, homes.get((place.client, place.start)))
        ]
        if not several:
            return True
        deleted = RangeSet(summary.deletes)
        return all(deleted.covers(place.client, place.start, place.end) for place in several)

    def _is_possible(self, place: Place) -> bool:
        client, start, end, left, right, _ = place
        return self._runs[client].agrees_with(start, end, left, right) and self._can_part(left, right)

    def _can_part(self, left: Id | None, right: Id | None) -> bool:
        """Whether left comes before right, and nothing that both have seen between them."""
        if left is None:
            return right is None or self.is_forgotten(right) or self._left(right) is None
        if right is None:
            return self.is_forgotten(left) or self._right(left) is None
        if self.is_forgotten(left) or self.is_forgotten(right):
            return self.is_forgotten(left) and self.is_forgotten(right)
        return self._left(right) == left or self._parted_before(left, right)

    def _parted_before(self, left: Id, right: Id) -> bool:
        """Whether left grows from a branch before right, of what right grows from."""
        origin = self._left(right)
        branch = self._branch_towards(left, origin)
        if branch is None:
            return False
        parted_at = origin if origin is not None else self._homes.get(right)
        if parted_at is None:
            return False
        self._step(self._branches.steps_to_find(parted_at))
        return self._branches.are_in_order(parted_at, branch, right)

    def _branch_towards(self, descendant: Id, origin: Id | None) -> Id | None:
        """Go from left neighbour to left neighbour; return the one whose left neighbour is the origin."""
        client, clock = descendant
        while True:
            self._step(1)
            runs = self._runs[client]
            run = runs.index(clock)
            if runs.is_forgotten(run):
                return None
            start = runs.starts[run]
            if origin is not None and origin[0] == client and start <= origin[1] < clock:
                return client, origin[1] + 1
            left = runs.left(start)
            if left == origin:
                return client, start
            if left is None:
                return None
            client, clock = left

    def _step(self, steps: int) -> None:
        self._steps -= steps
        if self._steps < 0:
            raise UpdateError("neighbours that take too long to tell", code="update_neighbours_impossible")

    def is_forgotten(self, place: Id) -> bool:
        """Whether nothing is known of a struct but that there was one."""
        runs = self._runs.get(place[0])
        return runs is None or place[1] >= runs.end or runs.is_forgotten(runs.index(place[1]))

    def _left(self, place: Id) -> Id | None:
        return self._runs[place[0]].left(place[1])

    def _right(self, place: Id) -> Id | None:
        runs = self._runs[place[0]]
        return runs.right(runs.index(place[1]))
