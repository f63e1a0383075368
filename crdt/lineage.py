"""Between which neighbours everything in a replica was inserted, to tell what no editor can have inserted.

An editor inserts between two structs that stand side by side in what it has seen.  A struct that claims
other neighbours is integrated differently by Yjs and by the engine, and differently again when the
document is read anew in another order: texts differ for ever, or browsers throw.  Where two neighbours
stood side by side can be told without the list itself, from the neighbours that they claim in turn.

Let the left neighbour be *o* and the right one *r*.  Something can stand between them only if

- there is no *o*, and *r* has no left neighbour either;
- there is no *r*, and *o* has no right neighbour either;
- *o* is the left neighbour of *r*, or *r* the right neighbour of *o*: the later of them was put there;
- or both were put there unbeknown to each other.  Then the left neighbour of *r* is reached from *o* by
  going from left neighbour to left neighbour, because these lines never cross, and the two branches that
  part there are in the order in which such branches are put.

Of what was deleted together with the embedded type it stood in, neighbours are no longer known.

Source: Nicolaescu et al., "Near Real-Time Peer-to-Peer Shared Editing on Extensible Data Types" (YATA);
Yjs ``structs/Item.js``, ``integrate``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from crdt.errors import UpdateError
from crdt.runs import Runs
from crdt.summary import Home, Id, Place, UpdateSummary

# Walks along neighbours that one update may cost, about 50 ms; honest ones need a handful.
MAX_STEPS: Final = 50_000


class Lineage:
    """The neighbours between which everything in a replica was inserted."""

    __slots__ = ("_homes", "_runs", "_steps")

    def __init__(self) -> None:
        self._runs: dict[int, Runs] = {}
        self._homes: dict[Id, Home] = {}
        self._steps = 0

    def check(self, summary: UpdateSummary) -> None:
        """Refuse what no editor can have inserted.

        Args:
            summary: of an update that is causally ready.

        Raises:
            UpdateError: ``update_neighbours_impossible``.
        """
        self._steps = MAX_STEPS
        places = summary.places
        runs = self._runs.get(places[0].client) if len(places) == len(summary.writes) == 1 else None
        if runs is not None and places[0].start == runs.end:
            # The usual case, and the usual one of it: what is typed goes on with what was typed.
            _, _, _, left, right = places[0]
            possible = runs.is_continued_by(left, right) or self._can_part(left, right)
        else:
            possible = self._are_possible(summary)
        if not possible:
            raise UpdateError("a struct claims neighbours that it cannot have", code="update_neighbours_impossible")

    def add(self, summary: UpdateSummary) -> None:
        """Take in what an update inserts."""
        for place in summary.places:
            self._of(place.client).append(place)
        for client, _, end in summary.writes:
            self._of(client).forget_until(end)
        for first, home in summary.structure.homes.items():
            self._homes.setdefault(first, home)

    def copy(self) -> Lineage:
        """A lineage of its own with the same contents."""
        duplicate = Lineage()
        duplicate._runs = {client: runs.copy() for client, runs in self._runs.items()}
        duplicate._homes = dict(self._homes)
        return duplicate

    def _of(self, client: int) -> Runs:
        runs = self._runs.get(client)
        if runs is None:
            runs = self._runs[client] = Runs(client)
        return runs

    def _are_possible(self, summary: UpdateSummary) -> bool:
        # Structs of one update may be each other's neighbours, so all are taken in before any is judged.
        clients = {client for client, _, _ in summary.writes}
        marks = {client: self._of(client).mark() for client in clients}
        homes = summary.structure.homes
        new_homes = [first for first in homes if first not in self._homes]
        self.add(summary)
        try:
            return self._are_at_home(homes) and all(map(self._is_possible, summary.places))
        finally:
            for client, mark in marks.items():
                self._runs[client].cut(mark)
                if not mark.end:
                    del self._runs[client]
            for first in new_homes:
                del self._homes[first]

    def _are_at_home(self, homes: Mapping[Id, Home]) -> bool:
        """Whether what is known of first structs agrees with what is claimed of them now."""
        return all(self._is_forgotten(first) or self._homes[first] == home for first, home in homes.items())

    def _is_possible(self, place: Place) -> bool:
        client, start, end, left, right = place
        runs = self._runs[client]
        run = runs.index(start)
        if runs.index(end - 1) != run:
            return False
        if not runs.is_forgotten(run) and (runs.left(start), runs.right(run)) != (left, right):
            return False
        return self._can_part(left, right)

    def _can_part(self, left: Id | None, right: Id | None) -> bool:
        """Whether something can have been inserted between the two."""
        if left is None:
            return right is None or self._is_forgotten(right) or self._left(right) is None
        if right is None:
            return self._is_forgotten(left) or self._right(left) is None
        if self._is_forgotten(left) or self._is_forgotten(right):
            return self._is_forgotten(left) and self._is_forgotten(right)
        return self._left(right) == left or self._right(left) == right or self._are_concurrent(left, right)

    def _are_concurrent(self, left: Id, right: Id) -> bool:
        """Whether the two can have come to stand side by side unbeknown to each other."""
        origin = self._left(right)
        branch = self._branch_towards(left, origin, past=right)
        if branch is None:
            return False
        if origin is None and self._home(branch) != self._home(right):
            return False
        if branch[0] == right[0]:
            return branch[1] > right[1]
        if self._leads_to(branch, right):
            return True
        if self._leads_to(right, branch):
            return False
        return self._right(branch) != self._right(right) or branch[0] < right[0]

    def _branch_towards(self, descendant: Id, origin: Id | None, *, past: Id) -> Id | None:
        """Go from left neighbour to left neighbour; return the one whose left neighbour is the origin."""
        client, clock = descendant
        while True:
            self._step()
            runs = self._runs[client]
            run = runs.index(clock)
            if runs.is_forgotten(run):
                return None
            start = runs.starts[run]
            if past[0] == client and start <= past[1] <= clock:
                return None
            if origin is not None and origin[0] == client and start <= origin[1] < clock:
                return client, origin[1] + 1
            left = runs.left(start)
            if left == origin:
                return client, start
            if left is None:
                return None
            client, clock = left

    def _leads_to(self, start: Id, goal: Id) -> bool:
        """Whether one gets from right neighbour to right neighbour, among branches of one origin, to the goal."""
        origin, place = self._left(start), self._right(start)
        while place is not None and not self._is_forgotten(place) and self._left(place) == origin:
            self._step()
            if place == goal:
                return True
            place = self._right(place)
        return False

    def _home(self, place: Id) -> Home | None:
        """What the first structs of a list stand in; a struct without a left neighbour is one of them."""
        next_place: Id | None = place
        while next_place is not None and not self._is_forgotten(next_place):
            self._step()
            home = self._homes.get(next_place)
            if home is not None:
                return home
            next_place = self._right(next_place)
        return None

    def _step(self) -> None:
        self._steps -= 1
        if self._steps < 0:
            raise UpdateError("neighbours that take too long to tell", code="update_neighbours_impossible")

    def _is_forgotten(self, place: Id) -> bool:
        runs = self._runs[place[0]]
        return runs.is_forgotten(runs.index(place[1]))

    def _left(self, place: Id) -> Id | None:
        return self._runs[place[0]].left(place[1])

    def _right(self, place: Id) -> Id | None:
        runs = self._runs[place[0]]
        return runs.right(runs.index(place[1]))
