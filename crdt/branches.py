"""The branches of each struct and of each list, in their order.

Branches of one origin that were inserted unbeknown to each other stand by ascending client, except that a
branch never passes its own right neighbour.  This is what Yjs's ``Item.integrate`` comes to when trees are
kept whole: what it scans beyond the branches themselves grows from one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from crdt.summary import Home, Id

Origin = Id | Home
"""What a branch grows from: a struct, or a list."""


class Taken(NamedTuple):
    """A branch that was taken in.

    Args:
        origin: what it grows from.
        branch: the branch.
        is_first: whether no branches of the origin were kept before.
        steps: how many of them were looked at.
    """

    origin: Origin
    branch: Id
    is_first: bool
    steps: int


class Branches:
    """Ordered branches by origin; not of origins whose only branch is the next struct of their run.

    Args:
        right_of: the right neighbour that a struct was inserted with.
    """

    __slots__ = ("_by_origin", "_right_of")

    def __init__(self, right_of: Callable[[Id], Id | None]) -> None:
        self._by_origin: dict[Origin, list[Id]] = {}
        self._right_of = right_of

    def __contains__(self, origin: Origin) -> bool:
        return origin in self._by_origin

    def begin(self, origin: Origin, first: Id | None) -> None:
        """Keep the branches of an origin, of which there is one at most so far."""
        self._by_origin[origin] = [] if first is None else [first]

    def insert(self, origin: Origin, branch: Id, right: Id | None) -> int:
        """Put a branch in its place; its own right neighbour, if that is a branch too, has to be there.

        Returns:
            How many branches were looked at.
        """
        branches = self._by_origin[origin]
        place = index = 0
        for index, other in enumerate(branches):
            if other == right:
                break
            if other[0] < branch[0]:
                place = index + 1
            elif self._right_of(other) == right:
                break
        branches.insert(place, branch)
        return index + 1

    def remove(self, origin: Origin, branch: Id) -> None:
        """Take a branch back."""
        self._by_origin[origin].remove(branch)

    def forget(self, origin: Origin) -> None:
        """Keep the branches of an origin no longer."""
        del self._by_origin[origin]

    def are_in_order(self, origin: Origin, first: Id, second: Id) -> bool:
        """Whether both are branches of the origin, the first before the second."""
        branches = self._by_origin.get(origin, ())
        return first in branches and second in branches and branches.index(first) < branches.index(second)

    def count(self, origin: Origin) -> int:
        """How many branches there are, where they are kept."""
        return len(self._by_origin.get(origin, ()))

    def update(self, other: Branches) -> None:
        """Take in all branches of another."""
        self._by_origin.update((origin, list(branches)) for origin, branches in other._by_origin.items())
