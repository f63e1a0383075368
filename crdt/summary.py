"""What the strict reader answers: what an update writes, needs, deletes and leans on; none of its content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from crdt.ranges import ClockRange


@dataclass(frozen=True, slots=True)
class Structure:
    """What an update builds and leans on, beyond one run of characters.

    Args:
        roots: the names of the root types that something is inserted into without a neighbour.
        types: the embedded types that it creates, as (client, clock).
        parents: the embedded types that it writes into and does not create, as (client, clock).
        middles: per client, the clocks between the two halves of each surrogate pair that it inserts.
        is_text: whether it is nothing but text, formatting and what is left of deleted content: no map
            entries, no values, no embedded types.
    """

    roots: frozenset[str]
    types: frozenset[tuple[int, int]]
    parents: frozenset[tuple[int, int]]
    middles: Mapping[int, Sequence[int]]
    is_text: bool


PLAIN: Final = Structure(frozenset(), frozenset(), frozenset(), {}, is_text=True)


@dataclass(frozen=True, slots=True)
class UpdateSummary:
    """What an update does.

    Args:
        writes: contiguous runs of structs, in the order of the update; a gap splits a run.
        depends_on: for each client referred to, the clock that must have been reached first.
        deletes: what is deleted.
        has_gap: whether structs are missing between two runs of a client.
        content_bytes: UTF-8 bytes of inserted text.
        splits: per client, the clocks at which it takes known content apart, deletions not counted.
        structure: what it builds and leans on.
    """

    writes: tuple[ClockRange, ...]
    depends_on: Mapping[int, int]
    deletes: tuple[ClockRange, ...] = ()
    has_gap: bool = False
    content_bytes: int = 0
    splits: Mapping[int, Sequence[int]] = field(default_factory=dict)
    structure: Structure = PLAIN

    @property
    def is_empty(self) -> bool:
        """Whether it writes and deletes nothing."""
        return not self.writes and not self.deletes
