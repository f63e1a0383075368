"""The branches of each struct and of each list, in their order.

Branches of one origin that were inserted unbeknown to each other stand by ascending client, except that a
branch never passes its own right neighbour.  This is what Yjs's ``Item.integrate`` comes to when trees are
kept whole: what it scans beyond the branches themselves grows from one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import starmap
from typing import Final, NamedTuple, TypeGuard

from crdt.columns import ColumnReader, ColumnWriter, split
from crdt.homes import read_homes, write_homes
from crdt.summary import Home, Id

# Branches are kept in blocks, so that putting one at the front of a million moves hundreds.
_BLOCK: Final = 512
# Looking for a branch by its name is done in C: so many of them cost what one step in Python costs.
_NAMES_PER_STEP: Final = 50

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


class _Row:
    """The branches of one origin."""

    __slots__ = ("blocks", "count")

    def __init__(self, *blocks: list[Id]) -> None:
        self.blocks = list(blocks)
        self.count = sum(map(len, blocks))

    def __iter__(self) -> Iterator[Id]:
        for block in self.blocks:
            yield from block

    def insert(self, place: int, branch: Id) -> None:
        number = 0
        while place > len(self.blocks[number]):
            place -= len(self.blocks[number])
            number += 1
        block = self.blocks[number]
        block.insert(place, branch)
        self.count += 1
        if len(block) > 2 * _BLOCK:
            self.blocks[number : number + 1] = [block[:_BLOCK], block[_BLOCK:]]

    def remove(self, branch: Id) -> None:
        for block in self.blocks:
            if branch in block:
                block.remove(branch)
                self.count -= 1
                return

    def is_before(self, first: Id, second: Id) -> bool:
        """Whether both are here, in this order."""
        found = False
        for block in self.blocks:
            if not found and first in block:
                found = True
                if second in block:
                    return block.index(first) < block.index(second)
            elif second in block:
                return found
        return False

    def copy(self) -> _Row:
        return _Row(*map(list, self.blocks))


class Branches:
    """Ordered branches by origin; not of origins whose only branch is the next struct of their run.

    Args:
        right_of: the right neighbour that a struct was inserted with.
    """

    __slots__ = ("_by_origin", "_right_of")

    def __init__(self, right_of: Callable[[Id], Id | None]) -> None:
        self._by_origin: dict[Origin, _Row] = {}
        self._right_of = right_of

    def __contains__(self, origin: Origin) -> bool:
        return origin in self._by_origin

    def begin(self, origin: Origin, first: Id | None) -> None:
        """Keep the branches of an origin, of which there is one at most so far."""
        self._by_origin[origin] = _Row([] if first is None else [first])

    def insert(self, origin: Origin, branch: Id, right: Id | None) -> int:
        """Put a branch in its place; its own right neighbour, if that is a branch too, has to be there.

        Returns:
            How many branches were looked at.
        """
        row = self._by_origin[origin]
        place = index = 0
        for index, other in enumerate(row):
            if other == right:
                break
            if other[0] < branch[0]:
                place = index + 1
            elif self._right_of(other) == right:
                break
        row.insert(place, branch)
        return index + 1

    def remove(self, origin: Origin, branch: Id) -> None:
        """Take a branch back."""
        self._by_origin[origin].remove(branch)

    def forget(self, origin: Origin) -> None:
        """Keep the branches of an origin no longer."""
        del self._by_origin[origin]

    def are_in_order(self, origin: Origin, first: Id, second: Id) -> bool:
        """Whether both are branches of the origin, the first before the second."""
        row = self._by_origin.get(origin)
        return row is not None and row.is_before(first, second)

    def steps_to_find(self, origin: Origin) -> int:
        """How much it costs to find two branches among those that are kept."""
        row = self._by_origin.get(origin)
        return 0 if row is None else 1 + row.count // _NAMES_PER_STEP

    def update(self, other: Branches) -> None:
        """Take in all branches of another."""
        self._by_origin.update((origin, row.copy()) for origin, row in other._by_origin.items())

    def write(self, columns: ColumnWriter) -> None:
        """Put down all branches, for :meth:`read`."""
        structs = [origin for origin in self._by_origin if _is_struct(origin)]
        lists = [origin for origin in self._by_origin if _is_list(origin)]
        rows = [self._by_origin[origin] for origins in (structs, lists) for origin in origins]
        columns.put_pairs(structs)
        write_homes(columns, lists)
        columns.put([len(row.blocks) for row in rows])
        columns.put([len(block) for row in rows for block in row.blocks])
        columns.put_pairs([branch for row in rows for branch in row])

    @classmethod
    def read(cls, columns: ColumnReader, right_of: Callable[[Id], Id | None]) -> Branches:
        """Take up what :meth:`write` put down."""
        branches = cls(right_of)
        origins: list[Origin] = [*columns.take_pairs(), *read_homes(columns)]
        blocks_per_row, sizes = columns.take(), columns.take()
        blocks = list(split(columns.take_pairs(), sizes))
        rows = starmap(_Row, split(blocks, blocks_per_row))
        branches._by_origin = dict(zip(origins, rows, strict=True))
        return branches


def _is_list(origin: Origin) -> TypeGuard[Home]:
    return not _is_struct(origin)


def _is_struct(origin: Origin) -> TypeGuard[Id]:
    return isinstance(origin[1], int)
