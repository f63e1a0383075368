"""What the strict reader answers: what an update writes, needs, deletes and leans on; none of its content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from crdt.ranges import ClockRange

Id = tuple[int, int]
"""A struct: its client and its clock, in UTF-16 units."""

Home = tuple[str | Id, str | None]
"""What a list stands in: the name of a root type or the struct of an embedded one, and the key, if it has keys."""


class Place(NamedTuple):
    """Where structs were inserted.

    Args:
        client: who wrote them.
        start: the clock of the first.
        end: the clock behind the last; each but the first stands behind the one before.
        left: the left neighbour of the first.
        right: the right neighbour of all.
        is_deleted: whether only their number is left of them.
    """

    client: int
    start: int
    end: int
    left: Id | None
    right: Id | None
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class Structure:
    """What an update builds and leans on, beyond one run of characters.

    Args:
        homes: what structs stand in that are inserted without a neighbour.
        types: the embedded types that it creates.
        parents: the embedded types that it writes into.
        middles: per client, the clocks between the two halves of each surrogate pair that it inserts.
        is_text: whether it is nothing but text, formatting and what is left of deleted content: no map
            entries, no values, no embedded types.
    """

    homes: Mapping[Id, Home]
    types: frozenset[Id]
    parents: frozenset[Id]
    middles: Mapping[int, Sequence[int]]
    is_text: bool

    @property
    def roots(self) -> frozenset[str]:
        """The names of the root types that something is inserted into without a neighbour."""
        return frozenset(parent for parent, _ in self.homes.values() if isinstance(parent, str))


PLAIN: Final = Structure({}, frozenset(), frozenset(), {}, is_text=True)


@dataclass(frozen=True, slots=True)
class UpdateSummary:
    """What an update does.

    Args:
        writes: contiguous runs of structs, in the order of the update; a gap splits a run.
        depends_on: for each client referred to, the clock that must have been reached first.
        deletes: what is deleted.
        has_gap: whether structs are missing between two runs of a client.
        content_bytes: UTF-8 bytes of inserted text.
        places: where each struct is inserted, in an order in which they can be applied; not those of which
            only a length is left.
        structure: what it builds and leans on.
    """

    writes: tuple[ClockRange, ...]
    depends_on: Mapping[int, int]
    deletes: tuple[ClockRange, ...] = ()
    has_gap: bool = False
    content_bytes: int = 0
    places: tuple[Place, ...] = ()
    structure: Structure = PLAIN

    @property
    def is_empty(self) -> bool:
        """Whether it writes and deletes nothing."""
        return not self.writes and not self.deletes
